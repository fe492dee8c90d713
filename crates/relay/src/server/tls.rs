//! TLS from PEM files, or with a certificate the relay makes itself and that
//! clients recognize by its fingerprint. Always with ring, given by name: an
//! embedding process may have chosen no default.

use super::{
    config::{Config, DataError, StartError, Tls, TlsError},
    data::DataDir,
};
use crate::auth::sha256;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use sotto_wire::RelayAddress;
use std::{fs, sync::Arc};
use tokio_rustls::TlsAcceptor;

pub struct Prepared {
    pub acceptor: TlsAcceptor,
    /// Only of a certificate that no authority vouches for.
    pub fingerprint: Option<[u8; 32]>,
}

pub fn prepare(
    tls: &Tls,
    config: &Config,
    data: Option<&DataDir>,
) -> Result<Option<Prepared>, StartError> {
    let (pem, pinned) = match tls {
        Tls::None => return Ok(None),
        Tls::Files { cert, key } => {
            let cert = fs::read(cert).map_err(|_| TlsError::Unreadable)?;
            let key = fs::read(key).map_err(|_| TlsError::Unreadable)?;
            ([cert, b"\n".to_vec(), key].concat(), false)
        }
        Tls::SelfSigned => {
            let make = || self_signed(config).map_err(|_| DataError::Other);
            let pem = match data {
                Some(data) => data.kept("tls.pem", make)?,
                None => make()?,
            };
            (pem, true)
        }
    };
    Ok(Some(read(&pem, pinned)?))
}

fn read(pem: &[u8], pinned: bool) -> Result<Prepared, TlsError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|_| TlsError::Invalid)?;
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::Invalid)?;
    let first = chain.first().ok_or(TlsError::Invalid)?;
    let fingerprint = pinned.then(|| sha256(first));
    let mut server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::Invalid)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|_| TlsError::Invalid)?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Prepared {
        acceptor: TlsAcceptor::from(Arc::new(server)),
        fingerprint,
    })
}

/// Certificate and key in one PEM. The names in it matter to no client of
/// ours, which compares the whole certificate.
fn self_signed(config: &Config) -> Result<Vec<u8>, rcgen::Error> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".into(), "::1".into()];
    names.push(config.bind.ip().to_string());
    let public = config
        .public
        .iter()
        .filter_map(|name| name.parse::<RelayAddress>().ok());
    names.extend(public.map(|address| address.host));
    let made = rcgen::generate_simple_self_signed(names)?;
    Ok([made.cert.pem(), made.signing_key.serialize_pem()]
        .concat()
        .into_bytes())
}
