//! The certificate authorities to trust.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, crypto};

/// The certificate authorities to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// The public ones of Mozilla's list, as of this program's build. The same on
    /// every system, with or without a store of its own.
    #[default]
    PublicAuthorities,
    /// These only.
    Authorities(Vec<TrustAnchor<'static>>),
    /// Any, verified by nobody.
    Anyone,
}

/// Reasons for which TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read, or is no PEM.
    #[error("{}: {cause}", .path.display())]
    File {
        /// As it was given.
        path: PathBuf,
        /// The reader's words.
        cause: String,
    },
    /// The file holds no certificate.
    #[error("{}: it holds no certificate; give a file in PEM format", .0.display())]
    NoCertificate(PathBuf),
    /// Neither a name nor an address.
    #[error("'{0}' is not a name that a certificate can be for")]
    Name(String),
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Provider(Error),
}

impl Trust {
    /// The certificate authorities in this file (PEM), and no others.
    ///
    /// # Errors
    /// The file cannot be read, or holds no certificates of certificate authorities.
    pub fn in_file(path: &Path) -> Result<Trust, TrustError> {
        authorities(path).map(|store| Trust::Authorities(store.roots))
    }

    /// A configuration without a certificate of our own.
    pub(super) fn config(&self) -> Result<ClientConfig, TrustError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder
            .with_safe_default_protocol_versions()
            .map_err(TrustError::Provider)?;
        let config = match self {
            Trust::PublicAuthorities => builder.with_root_certificates(RootCertStore {
                roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
            }),
            Trust::Authorities(roots) => builder.with_root_certificates(RootCertStore {
                roots: roots.clone(),
            }),
            Trust::Anyone => {
                let anyone = Arc::new(NoVerification { provider });
                builder.dangerous().with_custom_certificate_verifier(anyone)
            }
        };
        Ok(config.with_no_client_auth())
    }
}

/// The certificates in a PEM file.
fn authorities(path: &Path) -> Result<RootCertStore, TrustError> {
    let refused = |cause: String| TrustError::File {
        path: path.to_owned(),
        cause,
    };
    let words = |error: pem::Error| match error {
        pem::Error::Io(error) => refused(error.to_string()),
        other => refused(other.to_string()),
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(words)? {
        let added = store.add(certificate.map_err(words)?);
        added.map_err(|error| refused(error.to_string()))?;
    }
    match store.is_empty() {
        true => Err(TrustError::NoCertificate(path.to_owned())),
        false => Ok(store),
    }
}

/// Accepts every certificate. The server still proves that it has the key of the one it sends.
#[derive(Debug)]
struct NoVerification {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
