//! A client of the cases, and the group that it may be in.

use std::time::Duration;

use mls_rs::client_builder::{BaseConfig, WithCryptoProvider, WithIdentityProvider};
use mls_rs::crypto::{HpkeSecretKey, SignatureSecretKey};
use mls_rs::error::MlsError;
use mls_rs::extension::ExtensionType;
use mls_rs::group::proposal::{Proposal, ProposalType};
use mls_rs::group::{CommitEffect, ExportedTree, ReceivedMessage};
use mls_rs::identity::SigningIdentity;
use mls_rs::mls_rs_codec::{MlsDecode, MlsEncode};
use mls_rs::psk::{ExternalPskId, PreSharedKey};
use mls_rs::storage_provider::KeyPackageData;
use mls_rs::time::MlsTime;
use mls_rs::{CipherSuite, Client, CryptoProvider, Group, MlsMessage};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use serde_json::{json, Value};

use crate::application::Application;

pub type Config = WithIdentityProvider<Application, WithCryptoProvider<RustCryptoProvider, BaseConfig>>;

const EXTENSIONS: [u16; 2] = [0xf0c1, 0xf0c2];
const PROPOSAL: u16 = 0xf0c3;
const LONG: Duration = Duration::from_secs(24 * 3600);

/// What a client has of its own: a KeyPackage and its private keys.
struct Own {
    message: MlsMessage,
    data: KeyPackageData,
    identity: SigningIdentity,
    signer: SignatureSecretKey,
    suite: CipherSuite,
}

impl Own {
    fn of(given: &Value) -> Self {
        let message = MlsMessage::from_bytes(&bytes(&given["key_package"])).expect("an own KeyPackage");
        let key_package = message.as_key_package().expect("a KeyPackage").clone();
        let encoded = key_package.mls_encode_to_vec().expect("encodes");
        let keys = ["init_priv", "encryption_priv"].map(|name| HpkeSecretKey::from(bytes(&given[name])));
        let [init, encryption] = keys;
        Self {
            data: KeyPackageData::new(encoded, init, encryption, u64::MAX),
            identity: key_package.signing_identity().clone(),
            signer: signer(key_package.cipher_suite(), &bytes(&given["signature_priv"]), &key_package),
            suite: key_package.cipher_suite(),
            message,
        }
    }

    fn reference(&self) -> Vec<u8> {
        let provider = RustCryptoProvider::new().cipher_suite_provider(self.suite).expect("a suite of the hello");
        self.message.key_package_reference(&provider).expect("hashes").expect("a KeyPackage").to_vec()
    }
}

/// mls-rs wants the public key behind the private one for Ed25519.
fn signer(suite: CipherSuite, private: &[u8], of: &mls_rs::KeyPackage) -> SignatureSecretKey {
    let ed25519 = [CipherSuite::CURVE25519_AES128, CipherSuite::CURVE25519_CHACHA].contains(&suite);
    let public = of.signing_identity().signature_key.as_bytes();
    SignatureSecretKey::from(if ed25519 { [private, public].concat() } else { private.to_vec() })
}

pub struct Member<C: mls_rs::client_builder::MlsConfig> {
    client: Client<C>,
    group: Option<Group<C>>,
    reinitialized: bool,
    now: MlsTime,
}

impl Member<Config> {
    /// A client that has come into `state` by its messages.
    pub fn in_state(state: &Value, now: u64) -> Self {
        let now = MlsTime::from_duration_since_epoch(Duration::from_secs(now));
        let mut member = Self { client: client(&Own::of(state)), group: None, reinitialized: false, now };
        for known in state["external_psks"].as_array().expect("PSKs") {
            let (id, psk) = (ExternalPskId::new(bytes(&known["psk_id"])), PreSharedKey::new(bytes(&known["psk"])));
            member.client.secret_store().insert(id, psk);
        }
        if !state["welcome"].is_null() {
            let mut said = member.follow(state).expect("joins");
            for message in state["messages"].as_array().expect("messages") {
                let more = member.process(message).expect("follows");
                said = if more.get("epoch_authenticator").is_some() { more } else { said };
            }
            assert_eq!(said["epoch_authenticator"], state["epoch_authenticator"], "the state's epoch");
        }
        member
    }

    pub fn follow(&mut self, step: &Value) -> Result<Value, MlsError> {
        if step.get("group_info").is_some() {
            return self.joined_externally(step);
        }
        if step.get("welcome").is_some() {
            let group = self.join(step)?;
            return self.entered(group);
        }
        self.process(&step["message"])
    }

    pub fn joined(&mut self, given: &Value) -> Result<Value, MlsError> {
        authenticator(&self.join(given)?)
    }

    fn join(&mut self, given: &Value) -> Result<Group<Config>, MlsError> {
        let welcome = message(&given["welcome"])?;
        let tree = tree(&given["ratchet_tree"])?;
        let now = Some(self.now);
        let own = given.get("init_priv").filter(|_| self.group.is_some()).map(|_| Own::of(given));
        let Some(own) = own else {
            return Ok(self.client.join_group(tree, &welcome, now)?.0);
        };
        // a successor of the group that it is in
        self.client.key_package_store().insert(own.reference(), own.data.clone());
        let group = self.loaded()?;
        if self.reinitialized {
            let successor = group.get_reinit_client(Some(own.signer), Some(own.identity))?;
            return Ok(successor.join(&welcome, tree, now)?.0);
        }
        match group.join_subgroup(&welcome, tree.clone(), now) {
            Err(MlsError::UnexpectedPskId) => Ok(client(&own).join_group(tree, &welcome, now)?.0), // no subgroup
            joined => Ok(joined?.0),
        }
    }

    pub fn joined_externally(&mut self, given: &Value) -> Result<Value, MlsError> {
        let group_info = message(&given["group_info"])?;
        let mut builder = self.client.external_commit_builder()?.commit_time(self.now);
        if let Some(tree) = tree(&given["ratchet_tree"])? {
            builder = builder.with_tree_data(tree);
        }
        builder.build(group_info)?;
        Ok(json!({}))
    }

    pub fn process(&mut self, encoded: &Value) -> Result<Value, MlsError> {
        let now = self.now;
        let received = self.group().process_incoming_message_with_time(message(encoded)?, now)?;
        match received {
            ReceivedMessage::ApplicationMessage(said) => Ok(json!({"application_data": hex::encode(said.data())})),
            ReceivedMessage::Proposal(proposal) => Ok(json!({"proposal_ref": hex::encode(&*proposal.proposal_ref)})),
            ReceivedMessage::Commit(commit) => match commit.effect {
                CommitEffect::Removed { .. } => Ok(json!({})),
                effect => {
                    self.reinitialized |= matches!(effect, CommitEffect::ReInit(_));
                    self.group().write_to_storage()?;
                    authenticator(self.group())
                }
            },
            _ => Err(MlsError::UnexpectedMessageType),
        }
    }

    pub fn added(&mut self, given: &Value) -> Result<Value, MlsError> {
        let (key_package, now) = (message(&given["key_package"])?, self.now);
        self.group().commit_builder().commit_time(now).add_member(key_package)?.build()?;
        Ok(json!({}))
    }

    /// "One that leaves out what is invalid, rather than failing, is right as well."
    pub fn committed(&mut self, proposals: &[Value]) -> Result<Value, MlsError> {
        let decoded: Result<Vec<Proposal>, _> = proposals.iter().map(|each| Proposal::mls_decode(&mut &*bytes(each))).collect();
        let now = self.now;
        let output = self.group().commit_builder().commit_time(now).raw_proposals(decoded?).build()?;
        match output.unused_proposals() {
            [] => Ok(json!({})),
            _ => Err(MlsError::ProposalNotFound),
        }
    }

    fn group(&mut self) -> &mut Group<Config> {
        self.group.as_mut().expect("a case that begins in a group")
    }

    /// The group once more: mls-rs consumes it where it begins anew.
    fn loaded(&mut self) -> Result<Group<Config>, MlsError> {
        self.group().write_to_storage()?;
        let group_id = self.group().group_id().to_vec();
        self.client.load_group(&group_id)
    }

    fn entered(&mut self, group: Group<Config>) -> Result<Value, MlsError> {
        let said = authenticator(&group)?;
        self.group.insert(group).write_to_storage()?;
        self.reinitialized = false;
        Ok(said)
    }
}

fn client(own: &Own) -> Client<Config> {
    let client = Client::builder()
        .crypto_provider(RustCryptoProvider::new())
        .identity_provider(Application)
        .extension_types(EXTENSIONS.map(ExtensionType::new))
        .custom_proposal_type(ProposalType::new(PROPOSAL))
        .key_package_lifetime(LONG)
        .signing_identity(own.identity.clone(), own.signer.clone(), own.suite)
        .build();
    client.key_package_store().insert(own.reference(), own.data.clone());
    client
}

fn authenticator(group: &Group<Config>) -> Result<Value, MlsError> {
    Ok(json!({"epoch_authenticator": hex::encode(group.epoch_authenticator()?.as_bytes())}))
}

fn bytes(encoded: &Value) -> Vec<u8> {
    hex::decode(encoded.as_str().expect("hexadecimal")).expect("hexadecimal")
}

fn message(encoded: &Value) -> Result<MlsMessage, MlsError> {
    MlsMessage::from_bytes(&bytes(encoded))
}

fn tree(encoded: &Value) -> Result<Option<ExportedTree<'static>>, MlsError> {
    if encoded.is_null() {
        return Ok(None);
    }
    ExportedTree::from_bytes(&bytes(encoded)).map(|tree| Some(tree.into_owned()))
}
