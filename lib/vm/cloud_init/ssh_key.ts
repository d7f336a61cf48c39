/** SSH public keys, one line as in authorized_keys. Source: sshd(8), RFC 4253 6.6, OpenSSH's PROTOCOL.u2f. */

/** Kinds of keys that current OpenSSH takes. */
const KINDS: ReadonlySet<string> = new Set([
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
]);

/** The kind a key's own bytes name: a length in 4 bytes, then the name. */
function kindInside(base64: string): string | undefined {
  let bytes: string;
  try {
    bytes = atob(base64);
  } catch {
    return undefined;
  }
  const length = [...bytes.slice(0, 4)].reduce((sum, byte) => sum * 256 + byte.charCodeAt(0), 0);
  const HEAD = 4, LEAST_KEY = 32;
  return bytes.length >= HEAD + length + LEAST_KEY ? bytes.slice(HEAD, HEAD + length) : undefined;
}

/** Fault of a public key, as the end of a sentence; undefined for none. */
export function sshKeyFault(key: string): string | undefined {
  if (key.includes("PRIVATE KEY")) {
    return "is a private key, which must never leave its place: give the public one (.pub)";
  }
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(key)) return "must be one line";
  const [kind = "", base64 = ""] = key.trim().split(/ +/);
  if (!KINDS.has(kind)) {
    return `must begin with the kind of key: ${[...KINDS].slice(0, 3).join(", ")}, …`;
  }
  return kindInside(base64) === kind
    ? undefined
    : "is damaged or cut off: copy the whole line of the .pub file";
}
