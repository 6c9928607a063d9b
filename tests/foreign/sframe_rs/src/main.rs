//! sframe-rs as an adapter for `e2ee conformance run`: frames, KIDs and counters.
//!
//! sframe-rs knows SFrame's part of a frame: header, key, nonce, tag, replays. Which bytes stay clear, what a KID's
//! context says, who may speak and which epoch is in force, its user decides: what turns on these is answered
//! `unsupported`, so that an answer is always one of sframe-rs.

use std::collections::HashMap;
use std::io::{stdin, stdout, BufRead, Write};

use serde_json::{json, Value};
use sframe::error::{Result, SframeError};
use sframe::frame::validation::{ReplayAttackProtectionError, ReplayAttackProtectionStore, Tolerance};
use sframe::frame::{EncryptedFrameView, FrameCounter, MediaFrame, MonotonicCounter, SingleUseCounter};
use sframe::header::{KeyId, SframeHeader};
use sframe::key::{DecryptionKey, EncryptionKey};
use sframe::mls::{MlsKeyId, MlsKeyIdBitRange};
use sframe::CipherSuite;

const EPOCH_BITS: u8 = 4;
const LEAF_BITS: u8 = 10;
const COUNTER_LIMIT: u64 = 1 << 24; // FKEY-4
const WINDOWS: [usize; 5] = [128, 1024, 1024, 128, 1024]; // FRAME-9, by kind

fn main() {
    for line in stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("a line")).expect("an object");
        let mut out = stdout().lock();
        writeln!(out, "{}", answer(&request)).and_then(|()| out.flush()).expect("a reader");
    }
}

fn answer(request: &Value) -> Value {
    if request["type"] == "hello" {
        return json!({
            "type": "hello", "protocol": 1, "name": "sframe-rs", "version": "2.1.0", "features": ["hybrid"],
            "groups": ["frame-format/protecting", "frame-format/receiving", "frame-keys/counter", "frame-keys/kid"],
        });
    }
    let given = &request["input"];
    let mut answer = match request["group"].as_str().expect("a group") {
        "frame-format/protecting" => protecting(given),
        "frame-format/receiving" => receiving(given),
        "frame-keys/counter" => counter(given),
        "frame-keys/kid" => kid(given),
        group => unsupported(&format!("no operation for {group}")),
    };
    answer["type"] = json!("answer");
    answer["number"] = request["number"].clone();
    answer
}

fn valid(output: Value) -> Value {
    json!({"result": "valid", "output": output})
}

fn unsupported(why: &str) -> Value {
    json!({"result": "unsupported", "reason": why})
}

fn refused(error: &SframeError) -> Value {
    json!({"result": "invalid", "reason": reason(error)})
}

fn reason(error: &SframeError) -> &'static str {
    match error {
        SframeError::InvalidBuffer(_) => "BAD_HEADER",
        SframeError::MissingDecryptionKey { .. } => "UNKNOWN_KEY",
        SframeError::DecryptionFailure => "NOT_AUTHENTIC",
        SframeError::FrameValidationFailed(_) => replayed(error),
        SframeError::CounterCreationFailed(_) => "COUNTER_EXHAUSTED",
        _ => "OTHER",
    }
}

fn replayed(error: &SframeError) -> &'static str {
    match error.source_as::<ReplayAttackProtectionError>() {
        Some(_) => "REPLAYED",
        None => "OTHER",
    }
}

fn number(given: &Value, name: &str) -> u64 {
    given[name].as_u64().unwrap_or_else(|| panic!("{name} is no number"))
}

fn bytes(given: &Value, name: &str) -> Vec<u8> {
    hex::decode(given[name].as_str().unwrap_or_else(|| panic!("no {name}"))).expect("hexadecimal")
}

fn suite(given: &Value) -> CipherSuite {
    match number(given, "sframe_suite") {
        4 => CipherSuite::AesGcm128Sha256,
        5 => CipherSuite::AesGcm256Sha512,
        other => panic!("suite {other}"),
    }
}

fn key_id(given: &Value) -> MlsKeyId {
    let context = number(given, "kind") | number(given, "instance") << 4;
    let range = MlsKeyIdBitRange::new(EPOCH_BITS, LEAF_BITS);
    MlsKeyId::try_new(context, number(given, "epoch"), number(given, "leaf_index"), range).expect("a KID")
}

/// CODEC-1, CODEC-2: what its user leaves clear.
fn clear_length(codec: &str, frame: &[u8]) -> Option<usize> {
    let length = match (codec, frame.first()?) {
        ("opus", _) => 0,
        ("VP8", first) if first & 1 == 0 => 10,
        ("VP8", _) => 1,
        _ => return None,
    };
    (frame.len() >= length).then_some(length)
}

// Operations

fn kid(given: &Value) -> Value {
    let kid: KeyId = key_id(given).into();
    valid(json!({"kid": kid}))
}

fn counter(given: &Value) -> Value {
    let mut counter = MonotonicCounter::new(COUNTER_LIMIT - 1);
    for _ in 0..number(given, "frames_before") {
        counter.try_next().expect("a frame before");
    }
    match counter.try_next() {
        Ok(ctr) => valid(json!({"ctr": ctr})),
        Err(_) => json!({"result": "invalid", "reason": "COUNTER_EXHAUSTED"}),
    }
}

fn protecting(given: &Value) -> Value {
    let frame = bytes(given, "frame");
    let Some(length) = clear_length(given["codec"].as_str().expect("a codec"), &frame) else {
        return unsupported("a codec whose clear bytes this adapter does not know");
    };
    match protected(given, &frame[..length], &frame[length..]) {
        Ok(protected) => valid(json!({"protected": hex::encode(protected)})),
        Err(error) => refused(&error),
    }
}

fn protected(given: &Value, clear: &[u8], rest: &[u8]) -> Result<Vec<u8>> {
    let key = EncryptionKey::derive_from(suite(given), key_id(given), bytes(given, "base_key"))?;
    let mut counter = SingleUseCounter::new(number(given, "ctr"));
    let frame = MediaFrame::try_with_meta_data(&mut counter, rest, clear)?.encrypt(&key)?;
    Ok([clear, frame.sframe_cipher_text()].concat())
}

fn receiving(given: &Value) -> Value {
    let (frames, epochs): (Vec<&Value>, Vec<&Value>) =
        given["events"].as_array().expect("events").iter().partition(|event| event["event"] == "frame");
    let [epoch] = epochs[..] else {
        return unsupported("which epoch is in force is the user's to say");
    };
    let of_user = [&epoch["speakers"], &epoch["hosts"], &given["stream"]["announced_sender"]];
    if of_user.iter().any(|said| !said.is_null() && **said != json!([])) {
        return unsupported("who may speak, and on which stream, is the user's to say");
    }
    let mut receiver = Receiver::new(given, epoch);
    for event in frames {
        let found = receiver.outcome(&bytes(event, "frame"));
        let outcome = found["reason"].as_str().unwrap_or("opened");
        assert_eq!(outcome, event["outcome"], "an earlier frame");
    }
    receiver.outcome(&bytes(given, "frame"))
}

struct Receiver<'a> {
    given: &'a Value,
    epoch: &'a Value,
    replays: ReplayAttackProtectionStore,
}

impl<'a> Receiver<'a> {
    fn new(given: &'a Value, epoch: &'a Value) -> Self {
        let window = WINDOWS[number(&given["stream"], "kind") as usize];
        let replays = ReplayAttackProtectionStore::new(Tolerance::new(window));
        Self { given, epoch, replays }
    }

    fn outcome(&mut self, frame: &[u8]) -> Value {
        let codec = self.given["stream"]["codec"].as_str().expect("a codec");
        let Some(length) = clear_length(codec, frame) else {
            return unsupported("which bytes are clear is the user's to say");
        };
        let (clear, rest) = frame.split_at(length);
        let header = match SframeHeader::deserialize(rest) {
            Ok(header) => header,
            Err(error) => return refused(&error),
        };
        let range = MlsKeyIdBitRange::new(EPOCH_BITS, LEAF_BITS);
        let key_id = MlsKeyId::from_key_id(header.key_id(), range);
        if key_id.context_id() != number(&self.given["stream"], "kind") {
            return unsupported("what a KID's context says is the user's to judge");
        }
        match self.opened(clear, rest, key_id) {
            Ok(rest) => valid(json!({
                "frame": hex::encode([clear, &rest].concat()),
                "leaf_index": key_id.member_index(),
                "kind": key_id.context_id(),
                "instance": 0,
                "epoch": self.epoch["epoch"],
                "ctr": header.counter(),
            })),
            Err(error) => refused(&error),
        }
    }

    fn opened(&mut self, clear: &[u8], rest: &[u8], key_id: MlsKeyId) -> Result<Vec<u8>> {
        let frame = EncryptedFrameView::try_with_meta_data(rest, clear)?;
        let opened = frame.validated_decrypt(&self.keys(key_id)?, &mut self.replays)?;
        Ok(opened.payload().to_vec())
    }

    /// The key of the KID, if it names the epoch and another leaf of its roster than the own.
    fn keys(&self, key_id: MlsKeyId) -> Result<HashMap<KeyId, DecryptionKey>> {
        let roster = self.epoch["roster"].as_array().expect("a roster");
        let leaf = json!(key_id.member_index());
        let known = key_id.epoch_lsb() == number(self.epoch, "epoch") % 16
            && roster.contains(&leaf)
            && self.given["own_leaf"] != leaf;
        let mut keys = HashMap::new();
        if known {
            let kid: KeyId = key_id.into();
            keys.insert(kid, DecryptionKey::derive_from(suite(self.given), kid, bytes(self.epoch, "base_key"))?);
        }
        Ok(keys)
    }
}
