//! The application that the vectors take for granted: it accepts all credentials but two.

use mls_rs::error::IntoAnyError;
use mls_rs::identity::{Credential, CredentialType, SigningIdentity};
use mls_rs::time::MlsTime;
use mls_rs::{ExtensionList, IdentityProvider};
use mls_rs_core::identity::MemberValidationContext;

#[derive(Clone, Debug)]
pub struct Application;

#[derive(Debug)]
pub struct CredentialRefused;

impl IntoAnyError for CredentialRefused {}

fn named(identity: &SigningIdentity, name: &[u8]) -> bool {
    identity.credential.as_basic().is_some_and(|basic| basic.identifier == name)
}

fn accepted(identity: &SigningIdentity) -> Result<(), CredentialRefused> {
    if named(identity, b"mallory") {
        return Err(CredentialRefused);
    }
    Ok(())
}

impl IdentityProvider for Application {
    type Error = CredentialRefused;

    fn validate_member(
        &self,
        identity: &SigningIdentity,
        _: Option<MlsTime>,
        _: MemberValidationContext<'_>,
    ) -> Result<(), CredentialRefused> {
        accepted(identity)
    }

    fn validate_external_sender(
        &self,
        identity: &SigningIdentity,
        _: Option<MlsTime>,
        _: Option<&ExtensionList>,
    ) -> Result<(), CredentialRefused> {
        accepted(identity)
    }

    fn identity(&self, identity: &SigningIdentity, _: &ExtensionList) -> Result<Vec<u8>, CredentialRefused> {
        Ok(match &identity.credential {
            Credential::Basic(basic) => basic.identifier.clone(),
            _ => identity.signature_key.as_bytes().to_vec(),
        })
    }

    fn valid_successor(
        &self,
        _: &SigningIdentity,
        successor: &SigningIdentity,
        _: &ExtensionList,
    ) -> Result<bool, CredentialRefused> {
        Ok(!named(successor, b"another person"))
    }

    fn supported_types(&self) -> Vec<CredentialType> {
        vec![CredentialType::BASIC, CredentialType::X509, CredentialType::new(0xf0c4)]
    }
}
