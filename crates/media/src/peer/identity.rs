//! The DTLS certificate of one participation: ECDSA P-256, self-signed, new
//! for each, so that nobody is recognized by it from one call to the next.

use rcgen::{CertificateParams, DistinguishedName};
use sha2::{Digest, Sha256};
use sotto_client::call::media::Fingerprint;
use std::fmt;
use webrtc::peer_connection::RTCCertificate;
use webrtc::peer_connection::crypto::{SignatureScheme, default_provider};

/// Certificate and key; all peers of one participation share them.
#[derive(Clone)]
pub struct Identity {
    certificate: RTCCertificate,
    fingerprint: Fingerprint,
}

/// The system's cryptography does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no certificate can be made")]
pub struct NoIdentity;

impl Identity {
    pub fn generate() -> Result<Self, NoIdentity> {
        let provider = default_provider().map_err(|_| NoIdentity)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(|_| NoIdentity)?;
        params.distinguished_name = DistinguishedName::new();
        let certificate =
            RTCCertificate::generate(provider.crypto(), SignatureScheme::EcdsaP256Sha256, params)
                .map_err(|_| NoIdentity)?;
        let der = certificate
            .dtls_certificate
            .certificate
            .first()
            .ok_or(NoIdentity)?;
        Ok(Self {
            fingerprint: fingerprint_of(der),
            certificate,
        })
    }

    /// SHA-256 of the certificate (RFC 8122).
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(super) fn certificate(&self) -> RTCCertificate {
        self.certificate.clone()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<identity>")
    }
}

/// SHA-256 of a certificate in DER.
pub(super) fn fingerprint_of(der: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(der).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_participations_share_a_certificate() {
        let one = Identity::generate().unwrap();
        let two = Identity::generate().unwrap();
        assert_ne!(one.fingerprint(), two.fingerprint());
        assert_eq!(format!("{one:?}"), "<identity>");
    }
}
