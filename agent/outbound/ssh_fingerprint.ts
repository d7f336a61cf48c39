/** How people compare SSH host keys. */
import { createHash } from "node:crypto";

/** The fingerprint of a host key as ssh-keygen -l shows it: `SHA256:…`. @param key its bytes, as the server sends them */
export const sshFingerprint = (key: Uint8Array): string =>
  `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
