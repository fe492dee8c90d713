//! TLS: public certificates by the web's roots, pinned ones by their
//! fingerprint. Always rustls with ring, for HTTP and WebSocket alike.

use crate::api::LinkProblem;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256};
use std::{error::Error, io, sync::Arc};

/// The configuration for a relay with this pin, or with a public certificate.
pub fn config(pin: Option<[u8; 32]>) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring speaks the default versions");
    match pin {
        Some(pin) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(PinVerifier { pin, provider }))
            .with_no_client_auth(),
        None => {
            let roots = RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            };
            builder.with_root_certificates(roots).with_no_client_auth()
        }
    }
}

/// Whether and how TLS is to blame for an error, anywhere in its causes.
pub fn blame(error: &(dyn Error + 'static)) -> Option<LinkProblem> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(match tls {
                rustls::Error::InvalidCertificate(
                    CertificateError::ApplicationVerificationFailure,
                ) => LinkProblem::PinMismatch,
                rustls::Error::InvalidCertificate(
                    CertificateError::Expired
                    | CertificateError::ExpiredContext { .. }
                    | CertificateError::NotValidYet
                    | CertificateError::NotValidYetContext { .. },
                ) => LinkProblem::CertificateDates,
                _ => LinkProblem::Tls,
            });
        }
        // An io::Error hides what it wraps from `source`.
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(|io| io.get_ref());
        cause = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Trusts one certificate, whatever name and dates it carries. That the other
/// side holds its key is still proven by the handshake's signature.
#[derive(Debug)]
struct PinVerifier {
    pin: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if Sha256::digest(end_entity).as_slice() == self.pin {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[track_caller]
    fn check(why: CertificateError, expect: LinkProblem) {
        let error = io::Error::other(rustls::Error::from(why));
        assert_eq!(blame(&error), Some(expect));
    }

    #[test]
    fn dates_that_do_not_hold_are_told_apart_from_certificates_that_do_not() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let (early, late) = (at(0), at(9));
        check(CertificateError::Expired, LinkProblem::CertificateDates);
        check(
            CertificateError::ExpiredContext {
                time: late,
                not_after: early,
            },
            LinkProblem::CertificateDates,
        );
        check(CertificateError::NotValidYet, LinkProblem::CertificateDates);
        check(
            CertificateError::NotValidYetContext {
                time: early,
                not_before: late,
            },
            LinkProblem::CertificateDates,
        );
        check(CertificateError::UnknownIssuer, LinkProblem::Tls);
        check(CertificateError::NotValidForName, LinkProblem::Tls);
        check(
            CertificateError::ApplicationVerificationFailure,
            LinkProblem::PinMismatch,
        );
    }
}
