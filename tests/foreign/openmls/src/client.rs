//! A client of the cases, and the group that it may be in. The application's judgements are made here.

use std::fmt::Debug;

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::*;
use openmls::schedule::PreSharedKeyId;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::storage::StorageProvider;
use serde_json::{json, Value};

/// What came of something, or OpenMLS's reason against it.
pub type Said = Result<Value, String>;

pub struct Client {
    provider: OpenMlsRustCrypto,
    own: Own,
    group: Option<MlsGroup>,
}

/// A KeyPackage and what signs for it.
struct Own {
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
    capabilities: Capabilities,
}

impl Client {
    /// A client that has come into `state` by its messages.
    pub fn in_state(state: &Value) -> Self {
        let provider = OpenMlsRustCrypto::default();
        let own = stored(&provider, state);
        let mut client = Self { provider, own, group: None };
        for known in state["external_psks"].as_array().expect("PSKs") {
            let (id, psk) = (bytes(&known["psk_id"]), bytes(&known["psk"]));
            let id = PreSharedKeyId::external(id, vec![0; 32]);
            id.store(&client.provider, &psk).expect("stores a PSK");
        }
        if !state["welcome"].is_null() {
            let mut said = client.follow(state).expect("joins");
            for message in state["messages"].as_array().expect("messages") {
                let more = client.process(message).expect("follows");
                said = if more.get("epoch_authenticator").is_some() { more } else { said };
            }
            assert_eq!(said["epoch_authenticator"], state["epoch_authenticator"], "the state's epoch");
        }
        client
    }

    pub fn follow(&mut self, step: &Value) -> Said {
        if step.get("group_info").is_some() {
            return self.joined_externally(step);
        }
        if step.get("welcome").is_some() {
            return self.joined(step);
        }
        self.process(&step["message"])
    }

    pub fn joined(&mut self, given: &Value) -> Said {
        if self.group.is_some() && given.get("init_priv").is_some() {
            stored(&self.provider, given);
        }
        let MlsMessageBodyIn::Welcome(welcome) = message(&given["welcome"])?.extract() else {
            return Err("no Welcome".into());
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
            .number_of_resumption_psks(16)
            .max_past_epochs(4)
            .use_ratchet_tree_extension(true)
            .build();
        let staged = StagedWelcome::new_from_welcome(&self.provider, &config, welcome, tree(given)?).map_err(reason)?;
        staged.members().try_for_each(|member| accepted(&member.credential))?;
        let group = staged.into_group(&self.provider).map_err(reason)?;
        Ok(authenticator(self.group.insert(group)))
    }

    pub fn joined_externally(&mut self, given: &Value) -> Said {
        let MlsMessageBodyIn::GroupInfo(group_info) = message(&given["group_info"])?.extract() else {
            return Err("no GroupInfo".into());
        };
        let mut builder = MlsGroup::external_commit_builder();
        if let Some(tree) = tree(given)? {
            builder = builder.with_ratchet_tree(tree);
        }
        let leaf = LeafNodeParameters::builder().with_capabilities(self.own.capabilities.clone()).build();
        let (group, _) = builder
            .build_group(&self.provider, group_info, self.own.credential.clone())
            .map_err(reason)?
            .leaf_node_parameters(leaf)
            .load_psks(self.provider.storage())
            .map_err(reason)?
            .build(self.provider.rand(), self.provider.crypto(), &self.own.signer, |_| true)
            .map_err(reason)?
            .finalize(&self.provider)
            .map_err(reason)?;
        group.members().try_for_each(|member| accepted(&member.credential))?;
        Ok(json!({}))
    }

    pub fn process(&mut self, encoded: &Value) -> Said {
        let message = message(encoded)?.try_into_protocol_message().map_err(reason)?;
        let group = self.group.as_mut().expect("a case that begins in a group");
        match group.process_message(&self.provider, message).map_err(reason)?.into_content() {
            ProcessedMessageContent::ApplicationMessage(said) => {
                Ok(json!({"application_data": hex::encode(said.into_bytes())}))
            }
            ProcessedMessageContent::ProposalMessage(proposal)
            | ProcessedMessageContent::ExternalJoinProposalMessage(proposal) => {
                let reference = hex::encode(proposal.proposal_reference_ref().as_slice());
                group.store_pending_proposal(self.provider.storage(), *proposal).map_err(reason)?;
                Ok(json!({"proposal_ref": reference}))
            }
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                staged.credentials_to_verify().try_for_each(accepted)?;
                let removed = staged.self_removed();
                group.merge_staged_commit(&self.provider, *staged).map_err(reason)?;
                Ok(if removed { json!({}) } else { authenticator(group) })
            }
            other => Err(format!("{other:?}")),
        }
    }

    pub fn added(&mut self, encoded: &Value) -> Said {
        let key_package = key_package(&self.provider, encoded)?;
        accepted(key_package.leaf_node().credential())?;
        self.commit([key_package])
    }

    /// What was received; its own proposals OpenMLS makes itself.
    pub fn committed(&mut self) -> Said {
        self.commit([])
    }

    fn commit<const N: usize>(&mut self, added: [KeyPackage; N]) -> Said {
        let group = self.group.as_mut().expect("a case that begins in a group");
        let proposed = group.pending_proposals().count() + N;
        group
            .commit_builder()
            .propose_adds(added)
            .load_psks(self.provider.storage())
            .map_err(reason)?
            .build(self.provider.rand(), self.provider.crypto(), &self.own.signer, |_| true)
            .map_err(reason)?
            .stage_commit(&self.provider)
            .map_err(reason)?;
        let committed = group.pending_commit().map_or(0, |staged| staged.queued_proposals().count());
        group.clear_pending_commit(self.provider.storage()).map_err(reason)?;
        // "One that leaves out what is invalid, rather than failing, is right as well."
        if committed < proposed { Err("left out".into()) } else { Ok(json!({})) }
    }
}

fn key_package(provider: &OpenMlsRustCrypto, encoded: &Value) -> Result<KeyPackage, String> {
    let MlsMessageBodyIn::KeyPackage(received) = message(encoded)?.extract() else {
        return Err("no KeyPackage".into());
    };
    received.validate(provider.crypto(), ProtocolVersion::Mls10).map_err(reason)
}

/// A KeyPackage of a case is put, with its private keys, where OpenMLS looks for it: in the form of one that it made.
fn stored(provider: &OpenMlsRustCrypto, given: &Value) -> Own {
    let key_package = key_package(provider, &given["key_package"]).expect("an own KeyPackage");
    let leaf = key_package.leaf_node();
    let scheme = key_package.ciphersuite().signature_algorithm();
    let signer = SignatureKeyPair::from_raw(scheme, bytes(&given["signature_priv"]), leaf.signature_key().as_slice().to_vec());
    let credential = CredentialWithKey { credential: leaf.credential().clone(), signature_key: leaf.signature_key().clone() };
    let capabilities = leaf.capabilities().clone();
    let made = KeyPackage::builder().build(key_package.ciphersuite(), provider, &signer, credential.clone()).expect("a KeyPackage");
    let mut form = serde_json::to_value(&made).expect("a form");
    form["key_package"] = serde_json::to_value(&key_package).expect("a form");
    form["private_init_key"]["vec"] = json!(bytes(&given["init_priv"]));
    form["private_encryption_key"]["key"]["vec"] = json!(bytes(&given["encryption_priv"]));
    let bundle: KeyPackageBundle = serde_json::from_value(form).expect("the same form");
    let reference = key_package.hash_ref(provider.crypto()).expect("hashes");
    provider.storage().write_key_package(&reference, &bundle).expect("stores a KeyPackage");
    Own { signer, credential, capabilities }
}

/// "The application accepts every credential but a basic one with the identity `mallory`."
fn accepted(credential: &Credential) -> Result<(), String> {
    let mallory = credential.credential_type() == CredentialType::Basic && credential.serialized_content() == b"mallory";
    if mallory { Err("CREDENTIAL_REFUSED".into()) } else { Ok(()) }
}

fn authenticator(group: &MlsGroup) -> Value {
    json!({"epoch_authenticator": hex::encode(group.epoch_authenticator().as_slice())})
}

fn reason(error: impl Debug) -> String {
    format!("{error:?}")
}

fn bytes(encoded: &Value) -> Vec<u8> {
    hex::decode(encoded.as_str().expect("hexadecimal")).expect("hexadecimal")
}

fn message(encoded: &Value) -> Result<MlsMessageIn, String> {
    MlsMessageIn::tls_deserialize_exact(bytes(encoded)).map_err(reason)
}

fn tree(given: &Value) -> Result<Option<RatchetTreeIn>, String> {
    if given["ratchet_tree"].is_null() {
        return Ok(None);
    }
    RatchetTreeIn::tls_deserialize_exact(bytes(&given["ratchet_tree"])).map(Some).map_err(reason)
}
