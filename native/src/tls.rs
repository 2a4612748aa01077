//! TLS 1.3 identities and peer verification on rustls and ring.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use quinn_proto::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::{
    DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        Resumption, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::{NoServerSessionStorage, ParsedCertificate},
    version::TLS13,
};

/// How a dialled relay proves who it is (`PeerVerification` of the port).
pub enum Verification {
    None,
    Ca {
        pem: String,
        host: String,
    },
    /// SHA-256 of the leaf certificate, or of its public key (RFC 7469 §2.4).
    Fingerprint([u8; 32]),
}

/// AES-128 with SHA-256 first: as strong as the P-256 certificates and X25519 beside it. A handshake hashes in
/// hardware, and a packet takes ten rounds instead of fourteen.
fn provider() -> Arc<CryptoProvider> {
    use rustls::crypto::ring::{
        cipher_suite::{TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256},
        default_provider,
    };
    let cipher_suites = vec![TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256];
    Arc::new(CryptoProvider { cipher_suites, ..default_provider() })
}

/// Errors name what cannot be used, in words for the operator.
pub fn server(certificate: &str, private_key: &str, alpn: &[u8]) -> Result<Arc<QuicServerConfig>, String> {
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("certificate: {e}"))?;
    if chain.is_empty() {
        return Err("certificate: no PEM certificate in it".into());
    }
    let key = PrivateKeyDer::from_pem_slice(private_key.as_bytes()).map_err(|e| format!("private key: {e}"))?;
    let mut config = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| e.to_string())?;
    config.alpn_protocols = vec![alpn.to_vec()];
    // Edges in the field name AES-256 first, because their library does.
    config.ignore_client_order = true;
    // Edges connect once and stay: a ticket would cost each handshake a packet and each connection memory.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    QuicServerConfig::try_from(config).map(Arc::new).map_err(|e| e.to_string())
}

/// `rejected` is set when the peer's certificate was the reason of a failed handshake.
pub fn client(
    verification: Verification,
    alpn: &[u8],
    rejected: Arc<AtomicBool>,
) -> Result<Arc<QuicClientConfig>, String> {
    let provider = provider();
    let check = match verification {
        Verification::None => Check::Anyone,
        Verification::Fingerprint(sha256) => Check::Fingerprint(sha256),
        Verification::Ca { pem, host } => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let certificate = certificate.map_err(|e| format!("CA certificate: {e}"))?;
                roots.add(certificate).map_err(|e| format!("CA certificate: {e}"))?;
            }
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()
                .map_err(|e| format!("CA certificate: {e}"))?;
            let host = ServerName::try_from(host).map_err(|e| format!("host: {e}"))?;
            Check::Ca { verifier, host }
        }
    };
    let verifier = PeerVerifier { check, provider: provider.clone(), rejected };
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = Resumption::disabled();
    QuicClientConfig::try_from(config).map(Arc::new).map_err(|e| e.to_string())
}

#[derive(Debug)]
enum Check {
    Anyone,
    Fingerprint([u8; 32]),
    Ca { verifier: Arc<WebPkiServerVerifier>, host: ServerName<'static> },
}

#[derive(Debug)]
struct PeerVerifier {
    check: Check,
    provider: Arc<CryptoProvider>,
    rejected: Arc<AtomicBool>,
}

impl PeerVerifier {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.check {
            Check::Anyone => Ok(ServerCertVerified::assertion()),
            Check::Fingerprint(wanted) => {
                if fits(leaf, wanted) {
                    Ok(ServerCertVerified::assertion())
                } else {
                    Err(Error::General("the relay's certificate has another fingerprint".into()))
                }
            }
            // The host to verify is the configured one, whatever name is sent as SNI.
            Check::Ca { verifier, host } => verifier.verify_server_cert(leaf, intermediates, host, ocsp, now),
        }
    }
}

fn fits(leaf: &CertificateDer<'_>, wanted: &[u8; 32]) -> bool {
    let has_digest = |der: &[u8]| ring::digest::digest(&ring::digest::SHA256, der).as_ref() == wanted;
    has_digest(leaf) || ParsedCertificate::try_from(leaf).is_ok_and(|leaf| has_digest(&leaf.subject_public_key_info()))
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _sni: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.judge(leaf, intermediates, ocsp, now);
        self.rejected.store(verdict.is_err(), Ordering::Relaxed);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("QUIC uses TLS 1.3".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = rustls::crypto::verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        );
        if verdict.is_err() {
            self.rejected.store(true, Ordering::Relaxed);
        }
        verdict
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
