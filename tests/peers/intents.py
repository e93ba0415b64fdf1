#!/usr/bin/env python3
"""Asks published classifiers the questions that `amtsbote eval intents` is asked, learnt from the same sentences.

A development tool, not part of the tests: needs scikit-learn, fasttext-wheel and numpy below 2 from PyPI.
    python3 tests/peers/intents.py PATH-OF-AMTSBOTE
Prints one JSON line each: accuracy on tests/evaluation/services.tsv and the median time of a single message.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

root = pathlib.Path(__file__).resolve().parents[2]
train = []
for file in sorted((root / "knowledge/services").glob("*.toml")):
    service = tomllib.loads(file.read_text())
    texts = service["examples"] + service["synonyms"] + list(service["titles"].values())
    texts += [text for texts in service.get("foreign", {}).values() for text in texts]
    train += [(service["id"], text) for text in texts]
tests = [line.split("\t", 1) for line in (root / "tests/evaluation/services.tsv").read_text().splitlines()]


def measure(name, ask):
    right, times = 0, []
    for label, text in tests:
        start = time.perf_counter()
        found = ask(text)
        times.append((time.perf_counter() - start) * 1e6)
        right += found == label
    print(json.dumps({
        "peer": name, "n": len(tests), "accuracy": round(right / len(tests), 4),
        "p50_us": round(statistics.median(times), 1),
    }), flush=True)


def scikit_learn():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC
    features = make_union(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        TfidfVectorizer(analyzer="word", ngram_range=(1, 2), sublinear_tf=True))
    model = make_pipeline(features, LinearSVC())
    model.fit([text for _, text in train], [label for label, _ in train])
    measure("scikit-learn TF-IDF + LinearSVC", lambda text: model.predict([text])[0])


def fast_text():
    import fasttext
    plain = lambda text: " ".join(text.lower().split())
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.writelines(f"__label__{label} {plain(text)}\n" for label, text in train)
        file.flush()
        model = fasttext.train_supervised(
            file.name, epoch=60, lr=0.8, dim=100, minn=2, maxn=5, wordNgrams=2, verbose=0, thread=2)
    measure("fastText", lambda text: model.predict(plain(text))[0][0].removeprefix("__label__"))


scikit_learn()
fast_text()
if len(sys.argv) > 1:
    # The classifier alone, of the same sentences, without the refusal of what no office does.
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.writelines(f"{label}\t{text}\n" for label, text in train)
        file.flush()
        command = [sys.argv[1], "eval", "intents", "--train", file.name, "--test", root / "tests/evaluation/services.tsv"]
        print(subprocess.check_output(command, text=True).strip())
