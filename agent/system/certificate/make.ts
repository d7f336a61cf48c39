/**
 * A certificate of our own making, for the first start: only its fingerprint vouches for it. Structures of
 * RFC 5280 by @peculiar/asn1-x509, key and signature by node:crypto.
 */
import { DAY_MS } from "../../../lib/duration.ts";
import { Buffer } from "node:buffer";
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/** Days it is good for: browsers take no longer ones (CA/Browser Forum, 398). */
const DAYS = 397;
/** ecdsa-with-SHA256 (RFC 5758), commonName and organizationName (X.520). */
const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
} as const;

/** Most characters of a common name (RFC 5280, upper bounds). */
const LONGEST_COMMON_NAME = 64;

function nameOf(commonName: string): Name {
  const part = (type: string, text: string) =>
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type, value: new AttributeValue({ utf8String: text }) }),
    ]);
  return new Name([part(OID.organization, "KVM Manager"), part(OID.commonName, commonName)]);
}

const extension = (extnID: string, value: unknown, critical = false) =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });

function extensionsOf(names: readonly string[]): Extensions {
  const alternatives = names.map((name) =>
    isIP(name) === 0 ? new GeneralName({ dNSName: name }) : new GeneralName({ iPAddress: name })
  );
  return new Extensions([
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    extension(id_ce_subjectAltName, new SubjectAlternativeName(alternatives)),
  ]);
}

/**
 * Makes a P-256 key and a certificate that it signs itself.
 *
 * @param names host names and IP addresses it is for; the first is its subject
 * @param now milliseconds since the epoch: a day before it, the certificate begins (clocks differ)
 * @returns both as PEM
 */
export function makePair(names: readonly string[], now: number): { cert: string; key: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const serial = randomBytes(16);
  serial[0] = serial[0]! & 0x7f | 0x40; // positive, and always as long
  const name = nameOf((names[0] ?? "localhost").slice(0, LONGEST_COMMON_NAME));
  const signatureAlgorithm = new AlgorithmIdentifier({ algorithm: OID.ecdsaWithSha256 });
  const whole = (ms: number) => new Date(Math.floor(ms / 1000) * 1000);
  const content = new TBSCertificate({
    version: Version.v3,
    serialNumber: Uint8Array.from(serial).buffer,
    signature: signatureAlgorithm,
    issuer: name,
    validity: new Validity({ notBefore: whole(now - DAY_MS), notAfter: whole(now + (DAYS - 1) * DAY_MS) }),
    subject: name,
    subjectPublicKeyInfo: AsnConvert.parse(publicKey, SubjectPublicKeyInfo),
    extensions: extensionsOf(names),
  });
  const signature = sign("sha256", Buffer.from(AsnConvert.serialize(content)), createPrivateKey(privateKey));
  const certificate = new Certificate({
    tbsCertificate: content,
    signatureAlgorithm,
    signatureValue: Uint8Array.from(signature).buffer,
  });
  const lines = Buffer.from(AsnConvert.serialize(certificate)).toString("base64").match(/.{1,64}/g)!;
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey,
  };
}
