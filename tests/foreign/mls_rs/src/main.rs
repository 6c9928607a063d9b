//! mls-rs as an adapter for `e2ee conformance run`: `mls-validation/*`, in the suites of its RustCrypto provider.
//!
//! A refusal's reason is mls-rs's own error. A client is made anew for every case, and brought into its state.

mod application;
mod client;

use std::io::{stdin, stdout, BufRead, Write};

use mls_rs::error::MlsError;
use serde_json::{json, Value};

use client::{Config, Member};

type Perform = fn(&mut Member<Config>, &Value) -> Result<Value, MlsError>;

const OPERATIONS: [(&str, Perform); 5] = [
    ("mls-validation/process", process),
    ("mls-validation/join", |member, given| member.joined(given)),
    ("mls-validation/external-join", |member, given| member.joined_externally(given)),
    ("mls-validation/key-package", |member, given| member.added(given)),
    ("mls-validation/commit", commit),
];

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
            "type": "hello", "protocol": 1, "name": "mls-rs", "version": "0.57.0",
            "groups": OPERATIONS.map(|(group, _)| group),
            "features": ["mls-0x0001", "mls-0x0002", "mls-0x0003", "mls-0x0007"],
        });
    }
    let group = request["group"].as_str().expect("a group");
    let (_, perform) = OPERATIONS.into_iter().find(|(name, _)| *name == group).expect("a declared group");
    let mut answer = judged(perform, &request["input"]);
    answer["type"] = json!("answer");
    answer["number"] = request["number"].clone();
    answer
}

fn judged(perform: Perform, given: &Value) -> Value {
    let mut member = Member::in_state(&given["state"], given["now"].as_u64().expect("a time"));
    match perform(&mut member, given) {
        Ok(output) => json!({"result": "valid", "output": output}),
        Err(error) => {
            let steps = given["then"].as_array().expect("steps");
            let then: Vec<Value> = steps.iter().map(|step| followed(&mut member, step)).collect();
            json!({"result": "invalid", "reason": reason(&error), "then": then})
        }
    }
}

fn followed(member: &mut Member<Config>, step: &Value) -> Value {
    member.follow(step).unwrap_or_else(|error| json!({"refused": reason(&error)}))
}

fn reason(error: &MlsError) -> String {
    format!("{error:?}")
}

fn process(member: &mut Member<Config>, given: &Value) -> Result<Value, MlsError> {
    for proposal in given["proposals"].as_array().expect("proposals") {
        member.process(proposal)?;
    }
    member.process(&given["message"])
}

fn commit(member: &mut Member<Config>, given: &Value) -> Result<Value, MlsError> {
    for message in given["received"].as_array().expect("messages") {
        member.process(message)?;
    }
    member.committed(given["proposals"].as_array().expect("proposals"))
}
