//! A classifier for short texts: which label does a sentence ask for, and how sure is that? It is trained from example
//! sentences in seconds on the processor, kept as a safetensors file with the fingerprint of its sentences, and knows
//! nothing of services or dialogues.

mod features;
mod noise;
mod train;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Storage, Tensor};
use thiserror::Error;

use features::{FeatureId, features};

/// Raised whenever features, training or the file change: an older file is then trained anew.
const FORMAT: u32 = 1;

/// A sentence with the label that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The label.
    pub label: String,
    /// The sentence.
    pub text: String,
    /// German as people type it: training adds copies with slips. False for other languages and for fixed words.
    pub plain: bool,
}

/// A label that a text may ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// The label.
    pub label: String,
    /// Score of its judge: above 0 speaks for the label, -1 is the usual no.
    pub score: f32,
    /// How likely it is right, 0 to 1, learnt from sentences that were set aside.
    pub confidence: f32,
}

/// A model could not be trained, kept or read.
#[derive(Debug, Error)]
pub enum ModelError {
    /// Nothing to tell apart.
    #[error("training needs sentences of at least two labels")]
    TooFew,
    /// The file is of other sentences, of an older program, or damaged.
    #[error("the model file does not fit: {0}")]
    Foreign(String),
    /// The tensor library refused.
    #[error("the tensor library refused: {0}")]
    Tensor(#[from] candle_core::Error),
    /// A file could not be written.
    #[error("the model file could not be written: {0}")]
    File(#[from] std::io::Error),
    /// A thread of the training ended early.
    #[error("a training thread ended early")]
    Crashed,
}

/// From score and lead of a label to the probability that it is right: a logistic curve.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Calibration {
    score: f32,
    lead: f32,
    bias: f32,
}

impl Default for Calibration {
    /// A plausible curve for training sets too small to set something aside.
    fn default() -> Self {
        Self { score: 2.0, lead: 2.0, bias: 0.5 }
    }
}

impl Calibration {
    fn confidence(self, score: f32, lead: f32) -> f32 {
        1.0 / (1.0 + (-(self.score * score + self.lead * lead + self.bias)).exp())
    }

    /// The curve that fits best: (score, lead, right).
    fn fit(judged: &[(f32, f32, bool)]) -> Self {
        let mut curve = Self { score: 1.0, lead: 1.0, bias: 0.0 };
        let step = 4.0 / judged.iter().fold(1.0, |count, _| count + 1.0_f32);
        for _ in 0..4_000 {
            let (mut score, mut lead, mut bias) = (0.0, 0.0, 0.0);
            for (own_score, own_lead, right) in judged {
                let wrong = curve.confidence(*own_score, *own_lead) - if *right { 1.0 } else { 0.0 };
                score += wrong * own_score;
                lead += wrong * own_lead;
                bias += wrong;
            }
            curve.score -= step * score;
            curve.lead -= step * lead;
            curve.bias -= step * bias;
        }
        curve
    }
}

/// A trained classifier. Cheap to share behind an `Arc`; asking it changes nothing.
#[derive(Debug)]
pub struct Model {
    labels: Vec<String>,
    /// Known features, ascending; the place is the row.
    ids: Vec<FeatureId>,
    /// How rare each feature is.
    rarity: Vec<f32>,
    /// A row for each feature and one for the bias, a column for each label.
    weights: Tensor,
    calibration: Calibration,
}

impl Model {
    /// Learns from sentences. Takes seconds for thousands of them, uses two threads, always gives the same.
    pub fn train(examples: &[Example]) -> Result<Self, ModelError> {
        train::train(examples)
    }

    fn assemble(
        labels: Vec<String>,
        ids: Vec<FeatureId>,
        rarity: Vec<f32>,
        weights: Vec<f32>,
        calibration: Calibration,
    ) -> Result<Self, ModelError> {
        let weights = Tensor::from_vec(weights, (ids.len() + 1, labels.len()), &Device::Cpu)?;
        Ok(Self { labels, ids, rarity, weights, calibration })
    }

    /// The labels that a text may ask for, best first, at most `limit`; none for a text without words.
    pub fn classify(&self, text: &str, limit: usize) -> Vec<Guess> {
        self.scores(text).map(|scores| self.ranked(&scores, limit)).unwrap_or_default()
    }

    /// `None` if nothing in the text is known.
    fn scores(&self, text: &str) -> Option<Vec<f32>> {
        let vector = train::vector(&features(text), &self.ids, &self.rarity);
        if vector.len() < 2 {
            return None;
        }
        // The rows are read where they lie in the tensor: gathering them first (`index_select`) costs more than the sum.
        let (storage, _) = self.weights.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { return None };
        Some(train::judge(&vector, storage.as_slice().ok()?, self.labels.len()))
    }

    fn ranked(&self, scores: &[f32], limit: usize) -> Vec<Guess> {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
        let [first, second, ..] = order[..] else { return Vec::new() };
        order
            .iter()
            .take(limit)
            .map(|label| {
                let score = scores[*label];
                let rival = if *label == first { scores[second] } else { scores[first] };
                Guess {
                    label: self.labels[*label].clone(),
                    score,
                    confidence: self.calibration.confidence(score, score - rival),
                }
            })
            .collect()
    }

    /// Names a set of sentences: the same for the same sentences in any order, another for any change.
    pub fn fingerprint(examples: &[Example]) -> String {
        let mut lines: Vec<String> = examples
            .iter()
            .map(|example| format!("{}\t{}\t{}", example.label, u8::from(example.plain), example.text))
            .collect();
        lines.sort_unstable();
        let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(FORMAT);
        for byte in lines.iter().flat_map(|line| line.bytes().chain([b'\n'])) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        format!("{state:016x}")
    }

    /// Writes the model; a reader never sees half a file.
    pub fn save(&self, path: &Path, fingerprint: &str) -> Result<(), ModelError> {
        let bytes = |text: String| {
            let length = text.len();
            Tensor::from_vec(text.into_bytes(), length, &Device::Cpu)
        };
        let Calibration { score, lead, bias } = self.calibration;
        let tensors = HashMap::from([
            ("labels", bytes(self.labels.join("\n"))?),
            ("fingerprint", bytes(fingerprint.to_owned())?),
            ("ids", Tensor::from_slice(&self.ids, self.ids.len(), &Device::Cpu)?),
            ("rarity", Tensor::from_slice(&self.rarity, self.rarity.len(), &Device::Cpu)?),
            ("weights", self.weights.to_dtype(DType::F16)?),
            ("calibration", Tensor::from_slice(&[score, lead, bias], 3, &Device::Cpu)?),
        ]);
        let half = path.with_extension(format!("{}.part", std::process::id()));
        candle_core::safetensors::save(&tensors, &half)?;
        std::fs::rename(&half, path)?;
        Ok(())
    }

    /// Reads a model that was trained from the sentences with this fingerprint.
    pub fn load(path: &Path, fingerprint: &str) -> Result<Self, ModelError> {
        let foreign = |what: &str| ModelError::Foreign(format!("{what} in {}", path.display()));
        let tensors = candle_core::safetensors::load(path, &Device::Cpu)?;
        let get = |name: &str| tensors.get(name).ok_or_else(|| foreign(&format!("no {name}")));
        let text = |name: &str| -> Result<String, ModelError> {
            String::from_utf8(get(name)?.to_vec1()?).map_err(|_| foreign(&format!("{name} is not text")))
        };
        if text("fingerprint")? != fingerprint {
            return Err(foreign("another fingerprint"));
        }
        let labels: Vec<String> = text("labels")?.split('\n').map(str::to_owned).collect();
        let ids: Vec<FeatureId> = get("ids")?.to_vec1()?;
        let rarity: Vec<f32> = get("rarity")?.to_vec1()?;
        let weights = get("weights")?.to_dtype(DType::F32)?;
        let calibration: Vec<f32> = get("calibration")?.to_vec1()?;
        let [score, lead, bias] = calibration[..] else { return Err(foreign("no calibration")) };
        if weights.dims() != [ids.len() + 1, labels.len()] || rarity.len() != ids.len() {
            return Err(foreign("tables of different sizes"));
        }
        Ok(Self { labels, ids, rarity, weights, calibration: Calibration { score, lead, bias } })
    }
}
