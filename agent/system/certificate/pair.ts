/** A certificate with its key, as far as it can be judged before anybody is served with it. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { CertificateFacts } from "../../../lib/contract/certificate.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { pemBlocks } from "./pem.ts";

/** A certificate that serves, and what is known of it. */
export interface Pair {
  /** PEM: the certificate first, then what leads to its issuer. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  readonly facts: Omit<CertificateFacts, "origin">;
}

/** Why a pair cannot serve, in words for people. */
export class PairError extends Error {
  override readonly name = "PairError";
}

/** Key types that the server's TLS can sign with. */
const KEY_TYPES: ReadonlySet<string> = new Set(["rsa", "rsa-pss", "ec", "ed25519"]);

function certificateIn(chain: readonly string[]): X509Certificate {
  if (chain.length === 0) throw new PairError("the certificate's file has no certificate in PEM form");
  try {
    // All are read: a chain that is broken further on would fail in the middle of a handshake.
    return chain.map((each) => new X509Certificate(each))[0]!;
  } catch (error) {
    throw new PairError(`the certificate cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function keyIn(pem: string | undefined): KeyObject {
  if (pem === undefined) throw new PairError("the key's file has no private key in PEM form");
  if (/-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(pem)) {
    throw new PairError("the key is protected by a password. Give one without: the server starts by itself");
  }
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new PairError(`the key cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** `DNS:a, IP Address:127.0.0.1` → names; a quoted one (with a comma in it) is left as it is. */
function namesIn(certificate: X509Certificate): string[] {
  const text = certificate.subjectAltName ?? "";
  return text.split(", ").flatMap((part) => {
    const [, name] = /^(?:DNS|IP Address):(.+)$/.exec(part) ?? [];
    return name === undefined ? [] : [name.toLowerCase()];
  });
}

/** The key's kind as people call it. */
function keyTypeOf({ asymmetricKeyType: type = "rsa", asymmetricKeyDetails }: KeyObject): string {
  const { namedCurve, modulusLength } = asymmetricKeyDetails ?? {};
  if (type === "ec") return `ECDSA ${namedCurve === "prime256v1" ? "P-256" : namedCurve}`;
  return modulusLength ? `${type.toUpperCase()} ${modulusLength}` : type;
}

/** Lines of a name (`O=x\nCN=y`) as one. */
const oneLine = (name: string) => name.split("\n").join(", ");

/**
 * Reads a certificate and its key, from PEM texts that may hold other things too.
 *
 * @throws {PairError} when they cannot be read, or do not belong together
 */
export function readPair(certText: string, keyText: string): Pair {
  const chain = pemBlocks(certText, "CERTIFICATE");
  const [key = ""] = pemBlocks(keyText, "PRIVATE KEY");
  const certificate = certificateIn(chain);
  const privateKey = keyIn(key || undefined);
  if (!KEY_TYPES.has(privateKey.asymmetricKeyType ?? "")) {
    throw new PairError(`a key of the kind ${privateKey.asymmetricKeyType} cannot serve TLS`);
  }
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new PairError("the key is not the certificate's: the two files do not belong together");
  }
  return {
    cert: chain.join("\n"),
    key,
    facts: {
      subject: oneLine(certificate.subject),
      issuer: oneLine(certificate.issuer),
      names: namesIn(certificate),
      notBefore: Date.parse(certificate.validFrom),
      notAfter: Date.parse(certificate.validTo),
      fingerprint: certificate.fingerprint256,
      keyType: keyTypeOf(privateKey),
      selfSigned: certificate.subject === certificate.issuer,
    },
  };
}

/** Why a pair must not replace one that serves; undefined when it may. @param now milliseconds since the epoch */
export function validityProblem({ facts: { notBefore, notAfter } }: Pair, now: number): string | undefined {
  const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
  if (now > notAfter) return `the certificate ended on ${day(notAfter)}`;
  if (now < notBefore) return `the certificate begins on ${day(notBefore)} only`;
  return undefined;
}
