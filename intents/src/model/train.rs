//! Learning: one linear judge a label over the features of the sentences and of noisy copies of them, with the squared
//! hinge loss, by sparse AdaGrad. The loss and its gradient are candle's; the update touches only the features that
//! stand in a sentence, for which candle has no operation. Deterministic, whatever the number of processors.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor, Var};

use super::features::{FeatureId, document_frequencies, features};
use super::noise::{Dice, noisy};
use super::{Calibration, Example, Model, ModelError};

/// Most noisy copies of each sentence.
const MOST_COPIES: usize = 8;
/// Sentences with their copies that are worth their time; many sentences get fewer copies, at least two.
const ENOUGH_SENTENCES: usize = 36_000;
/// Times that all sentences are gone through.
const EPOCHS: usize = 20;
/// Sentences of one step.
const BATCH: usize = 32;
/// Step size of AdaGrad.
const STEP: f32 = 0.5;
/// What AdaGrad's sum of squares begins with: large enough that rare features take small first steps.
const FIRST_SQUARES: f32 = 1.0;
/// Pull of each touched weight towards 0.
const DECAY: f32 = 0.001;
/// Part of the sentences that is set aside to learn how far the judges can be trusted: one in so many.
const SET_ASIDE: usize = 5;
/// Largest table of weights, in numbers of two bytes: keeps a model below 20 MiB.
const MOST_WEIGHTS: usize = 9_000_000;
/// Threads; each trains a part of the judges, which are independent of one another.
const THREADS: usize = 2;

/// A sentence as rows of the table of weights.
type Vector = Vec<(usize, f32)>;

/// Sentences ready for training, and what is needed to read others in the same way.
struct Prepared {
    ids: Vec<FeatureId>,
    rarity: Vec<f32>,
    vectors: Vec<Vector>,
    labels: Vec<usize>,
}

/// The vector of a text: known features, weighted by how often and how rare, of length 1, with the row of the bias.
pub(super) fn vector(counted: &[(FeatureId, f32)], ids: &[FeatureId], rarity: &[f32]) -> Vector {
    let mut vector: Vector = counted
        .iter()
        .filter_map(|(id, count)| {
            let row = ids.binary_search(id).ok()?;
            Some((row, (1.0 + count.ln()) * rarity[row]))
        })
        .collect();
    let length = vector.iter().map(|(_, value)| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        for (_, value) in &mut vector {
            *value /= length;
        }
    }
    vector.push((ids.len(), 1.0));
    vector
}

fn prepare(examples: &[(usize, &Example)], labels: usize, dice: &mut Dice) -> Prepared {
    let mut counted = Vec::new();
    let mut wanted = Vec::new();
    let copies = (ENOUGH_SENTENCES / examples.len().max(1)).clamp(2, MOST_COPIES);
    for (label, example) in examples {
        counted.push(features(&example.text));
        wanted.push(*label);
        for copy in 0..if example.plain { copies } else { 0 } {
            counted.push(features(&noisy(&example.text, copy % 4, dice)));
            wanted.push(*label);
        }
    }
    let frequencies = document_frequencies(&counted);
    let mut kept: Vec<(u32, FeatureId)> = frequencies.into_iter().map(|(id, texts)| (texts, id)).collect();
    kept.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    kept.truncate(MOST_WEIGHTS / labels.max(1));
    kept.sort_unstable_by_key(|(_, id)| *id);
    let all = number(counted.len());
    let rarity =
        kept.iter().map(|(texts, _)| ((1.0 + all) / (1.0 + number(*texts as usize))).ln() + 1.0).collect();
    let ids: Vec<FeatureId> = kept.into_iter().map(|(_, id)| id).collect();
    let mut prepared = Prepared { ids, rarity, vectors: Vec::new(), labels: wanted };
    prepared.vectors = counted.iter().map(|one| vector(one, &prepared.ids, &prepared.rarity)).collect();
    prepared
}

fn number(count: usize) -> f32 {
    // Counts of sentences stay far below 2^24, where f32 would begin to round.
    f32::from(u16::try_from(count >> 16).unwrap_or(u16::MAX)) * 65_536.0
        + f32::from(u16::try_from(count & 0xffff).unwrap_or_default())
}

/// The weights of all judges: row after row, each with one number a label.
fn fit(prepared: &Prepared, labels: usize, seed: u64) -> Result<Vec<f32>, ModelError> {
    let part = labels.div_ceil(THREADS).max(1);
    let parts: Vec<(usize, usize)> =
        (0..labels).step_by(part).map(|start| (start, (start + part).min(labels))).collect();
    let fitted: Vec<Result<Vec<f32>, ModelError>> = std::thread::scope(|scope| {
        let running: Vec<_> = parts
            .iter()
            .map(|(start, end)| scope.spawn(move || fit_some(prepared, *start, *end, seed)))
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap_or(Err(ModelError::Crashed))).collect()
    });
    let rows = prepared.ids.len() + 1;
    let mut weights = vec![0.0; rows * labels];
    for ((start, end), some) in parts.into_iter().zip(fitted) {
        let some = some?;
        let width = end - start;
        for row in 0..rows {
            weights[row * labels + start..row * labels + end]
                .copy_from_slice(&some[row * width..(row + 1) * width]);
        }
    }
    Ok(weights)
}

/// The judges of the labels from `start` to before `end`.
fn fit_some(prepared: &Prepared, start: usize, end: usize, seed: u64) -> Result<Vec<f32>, ModelError> {
    let width = end - start;
    let mut weights = vec![0.0_f32; (prepared.ids.len() + 1) * width];
    let mut squares = vec![FIRST_SQUARES; weights.len()];
    let mut order: Vec<usize> = (0..prepared.vectors.len()).collect();
    let mut dice = Dice::new(seed);
    for _ in 0..EPOCHS {
        for place in (1..order.len()).rev() {
            order.swap(place, dice.below(place + 1));
        }
        for batch in order.chunks(BATCH) {
            let scores: Vec<f32> =
                batch.iter().flat_map(|one| judge(&prepared.vectors[*one], &weights, width)).collect();
            let wanted: Vec<f32> = batch
                .iter()
                .flat_map(|one| {
                    let label = prepared.labels[*one];
                    (start..end).map(move |other| if other == label { 1.0 } else { -1.0 })
                })
                .collect();
            let slopes = slopes(scores, wanted, width)?;
            for (one, slopes) in batch.iter().zip(slopes.chunks(width)) {
                let steep: Vec<(usize, f32)> =
                    slopes.iter().copied().enumerate().filter(|(_, slope)| *slope != 0.0).collect();
                for (row, value) in &prepared.vectors[*one] {
                    for (label, slope) in &steep {
                        let place = row * width + label;
                        let slope = slope * value;
                        squares[place] += slope * slope;
                        weights[place] -= STEP * (slope + DECAY * weights[place]) / squares[place].sqrt();
                    }
                }
            }
        }
    }
    Ok(weights)
}

/// What each judge says of a sentence.
pub(super) fn judge(vector: &Vector, weights: &[f32], width: usize) -> Vec<f32> {
    let mut scores = vec![0.0_f32; width];
    for (row, value) in vector {
        let weights = &weights[row * width..(row + 1) * width];
        scores.iter_mut().zip(weights).for_each(|(score, weight)| *score += value * weight);
    }
    scores
}

/// The gradient of the squared hinge loss with respect to the scores.
fn slopes(scores: Vec<f32>, wanted: Vec<f32>, width: usize) -> Result<Vec<f32>, ModelError> {
    let shape = (scores.len() / width.max(1), width);
    let scores = Var::from_vec(scores, shape, &Device::Cpu)?;
    let wanted = Tensor::from_vec(wanted, shape, &Device::Cpu)?;
    let loss = (1.0 - (scores.as_tensor() * &wanted)?)?.relu()?.sqr()?.sum_all()?;
    let gradients = loss.backward()?;
    let slopes = gradients.get(&scores).ok_or(ModelError::Crashed)?;
    Ok(slopes.flatten_all()?.to_vec1()?)
}

/// Trains a model, see [`Model::train`].
pub(super) fn train(examples: &[Example]) -> Result<Model, ModelError> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for example in examples {
        names.insert(&example.label, 0);
    }
    names.values_mut().enumerate().for_each(|(place, label)| *label = place);
    let labels: Vec<String> = names.keys().map(|name| (*name).to_owned()).collect();
    if labels.len() < 2 {
        return Err(ModelError::TooFew);
    }
    let labelled: Vec<(usize, &Example)> = examples
        .iter()
        .map(|example| (names.get(example.label.as_str()).copied().unwrap_or(0), example))
        .collect();
    let calibration = calibrate(&labelled, &labels)?;
    let prepared = prepare(&labelled, labels.len(), &mut Dice::new(1));
    let weights = fit(&prepared, labels.len(), 2)?;
    Model::assemble(labels, prepared.ids, prepared.rarity, weights, calibration)
}

/// Learns from sentences that were set aside how likely the best label is right, given its score and its lead.
fn calibrate(examples: &[(usize, &Example)], labels: &[String]) -> Result<Calibration, ModelError> {
    let mut seen = vec![0_usize; labels.len()];
    let (mut learnt, mut aside) = (Vec::new(), Vec::new());
    for (label, example) in examples {
        seen[*label] += 1;
        if seen[*label].is_multiple_of(SET_ASIDE) && example.plain {
            aside.push((*label, *example));
        } else {
            learnt.push((*label, *example));
        }
    }
    if aside.len() < 20 {
        return Ok(Calibration::default());
    }
    let prepared = prepare(&learnt, labels.len(), &mut Dice::new(3));
    let weights = fit(&prepared, labels.len(), 4)?;
    let judged = aside.iter().map(|(label, example)| {
        let vector = vector(&features(&example.text), &prepared.ids, &prepared.rarity);
        let scores = judge(&vector, &weights, labels.len());
        let (best, score, lead) = best(&scores);
        (score, lead, best == *label)
    });
    Ok(Calibration::fit(&judged.collect::<Vec<_>>()))
}

/// The best label, its score and its lead over the second.
fn best(scores: &[f32]) -> (usize, f32, f32) {
    let (mut first, mut score, mut second) = (0, f32::MIN, f32::MIN);
    for (label, other) in scores.iter().copied().enumerate() {
        if other > score {
            (first, score, second) = (label, other, score);
        } else if other > second {
            second = other;
        }
    }
    (first, score, score - second)
}
