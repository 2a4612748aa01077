import 'reflect-metadata';
import { createHash, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralNames,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

cryptoProvider.set(webcrypto);

export type KeyKind = 'ec' | 'ed25519' | 'rsa';

export interface Certificate {
  readonly certificatePem: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
  readonly certificateDer: Uint8Array;
  /** SHA-256 of the DER, lower-case hex without separators. */
  readonly fingerprint: string;
  /** As RFC 7469 writes the pin of a public key, after `sha256/`. */
  readonly keyPin: string;
  /** For another certificate with the same key. */
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface LeafOptions {
  readonly keyKind?: KeyKind;
  /** Made anew without. */
  readonly keys?: webcrypto.CryptoKeyPair;
  readonly commonName?: string;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const hourMs = 3_600_000;

const algorithms: Record<KeyKind, webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams | webcrypto.Algorithm> = {
  ec: { name: 'ECDSA', namedCurve: 'P-256' },
  ed25519: { name: 'Ed25519' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2048 },
};

/** A certificate authority of a test, and the leaf certificates that it signs. */
export class TestAuthority {
  readonly certificate: Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #issuer: string;

  private constructor(certificate: Certificate, keys: webcrypto.CryptoKeyPair, issuer: string) {
    this.certificate = certificate;
    this.#keys = keys;
    this.#issuer = issuer;
  }

  static async create(commonName = 'Adit test CA', keyKind: KeyKind = 'ec'): Promise<TestAuthority> {
    const keys = await generateKeys(keyKind);
    const name = `CN=${commonName}`;
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name,
      keys,
      signingAlgorithm: signing(keyKind),
      ...validity({}),
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new TestAuthority(await bundle(certificate, keys), keys, name);
  }

  /** A certificate for servers and clients, for `localhost` and the loopback addresses unless told otherwise. */
  async issue(options: LeafOptions = {}): Promise<Certificate> {
    const { keyKind = 'ec', commonName = 'localhost' } = options;
    const keys = options.keys ?? (await generateKeys(keyKind));
    const certificate = await X509CertificateGenerator.create({
      subject: `CN=${commonName}`,
      issuer: this.#issuer,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: { ...this.#keys.privateKey.algorithm, hash: 'SHA-256' } as webcrypto.EcdsaParams,
      ...validity(options),
      extensions: leafExtensions(options),
    });
    return bundle(certificate, keys);
  }
}

/** A leaf certificate that signs itself, as the relay makes one when none is configured. */
export async function createSelfSigned(options: LeafOptions = {}): Promise<Certificate> {
  const { keyKind = 'ec', commonName = 'localhost' } = options;
  const keys = options.keys ?? (await generateKeys(keyKind));
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: signing(keyKind),
    ...validity(options),
    extensions: leafExtensions(options),
  });
  return bundle(certificate, keys);
}

function generateKeys(keyKind: KeyKind): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithms[keyKind], true, [
    'sign',
    'verify',
  ]) as Promise<webcrypto.CryptoKeyPair>;
}

function signing(keyKind: KeyKind): webcrypto.Algorithm | webcrypto.EcdsaParams {
  return { ...algorithms[keyKind], hash: 'SHA-256' };
}

function validity(options: Pick<LeafOptions, 'notBefore' | 'notAfter'>): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return {
    notBefore: options.notBefore ?? new Date(now - hourMs),
    notAfter: options.notAfter ?? new Date(now + 24 * hourMs),
  };
}

function leafExtensions(options: LeafOptions) {
  const { dnsNames = ['localhost'], ipAddresses = ['127.0.0.1', '::1'] } = options;
  const names: JsonGeneralNames = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    new SubjectAlternativeNameExtension(names),
  ];
}

async function bundle(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair): Promise<Certificate> {
  const certificateDer = new Uint8Array(certificate.rawData);
  return {
    keys,
    certificatePem: certificate.toString('pem'),
    privateKeyPem: PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
    certificateDer,
    fingerprint: createHash('sha256').update(certificateDer).digest('hex'),
    keyPin: `sha256/${createHash('sha256').update(new Uint8Array(certificate.publicKey.rawData)).digest('base64')}`,
  };
}
