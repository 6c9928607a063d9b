//! OpenMLS as an adapter for `e2ee conformance run`: `mls-validation/*`, in the suites of its RustCrypto provider.
//!
//! A refusal's reason is OpenMLS's own error. A client is made anew for every case, and brought into its state.

mod client;
mod clock;

use std::io::{stdin, stdout, BufRead, Write};

use serde_json::{json, Value};

use client::{Client, Said};

type Perform = fn(&mut Client, &Value) -> Said;

const OPERATIONS: [(&str, Perform); 5] = [
    ("mls-validation/process", process),
    ("mls-validation/join", |client, given| client.joined(given)),
    ("mls-validation/external-join", |client, given| client.joined_externally(given)),
    ("mls-validation/key-package", |client, given| client.added(&given["key_package"])),
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
            "type": "hello", "protocol": 1, "name": "OpenMLS", "version": "0.9.2",
            "groups": OPERATIONS.map(|(group, _)| group),
            "features": ["mls-0x0001", "mls-0x0002", "mls-0x0003"],
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
    clock::set(given["now"].as_i64().expect("a time"));
    if given["proposals"].as_array().is_some_and(|own| !own.is_empty()) && given.get("received").is_some() {
        return json!({"result": "unsupported", "reason": "OpenMLS makes the proposals of its own commits itself"});
    }
    let mut client = Client::in_state(&given["state"]);
    match perform(&mut client, given) {
        Ok(output) => json!({"result": "valid", "output": output}),
        Err(reason) => {
            let steps = given["then"].as_array().expect("steps");
            let then: Vec<Value> = steps.iter().map(|step| followed(&mut client, step)).collect();
            json!({"result": "invalid", "reason": reason, "then": then})
        }
    }
}

fn followed(client: &mut Client, step: &Value) -> Value {
    client.follow(step).unwrap_or_else(|reason| json!({"refused": reason}))
}

fn process(client: &mut Client, given: &Value) -> Said {
    for proposal in given["proposals"].as_array().expect("proposals") {
        client.process(proposal)?;
    }
    client.process(&given["message"])
}

fn commit(client: &mut Client, given: &Value) -> Said {
    for message in given["received"].as_array().expect("messages") {
        client.process(message)?;
    }
    client.committed()
}
