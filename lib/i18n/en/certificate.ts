/** Texts about the certificate that the pages are served with. */
export const certificate = {
  "certificate.what": "It proves to browsers and programs that they are talking to this server.",
  "certificate.reached": "Reached at",
  "certificate.none": "No address has TLS",
  "certificate.none_what":
    "The server listens on loopback alone, in the clear. With --listen 0.0.0.0:8440 it serves HTTPS to the network, and makes a certificate by itself unless --tls-cert and --tls-key name one.",
  "certificate.subject": "For",
  "certificate.names": "Names",
  "certificate.issuer": "Issued by",
  "certificate.itself": "itself (self-signed)",
  "certificate.begins": "Valid from",
  "certificate.ends": "Valid until",
  "certificate.key": "Key",
  "certificate.fingerprint": "SHA-256",
  "certificate.fingerprint_name": "fingerprint",
  "certificate.from_files": "From the configured files; reloaded within seconds when they change.",
  "certificate.from_us":
    "Self-signed by this server, and renewed 30 days before it expires. Before you let a browser pass its warning, compare the fingerprint.",
  "certificate.days.one": "{n} day left",
  "certificate.days.other": "{n} days left",
  "certificate.ending": "The certificate expires soon",
  "certificate.ended": "The certificate has expired",
  "certificate.replace": "Put a new one in place of its files: no restart is needed.",
  "certificate.problem": "The newest certificate was not taken",
  "certificate.problem_what": "The one before it serves on.",
} as const;
