/** The certificate that the pages are served with. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { ForeignTimestamp, NOTHING_IN, oneOf } from "./schema.ts";

/** Days before a certificate's end from which on it is warned of, and our own is made again. */
export const EXPIRY_WARNING_DAYS = 30;

const facts = {
  origin: oneOf(["files", "made"]),
  subject: Type.String(),
  issuer: Type.String(),
  names: Type.Array(Type.String(), { description: "host names and addresses it is for" }),
  notBefore: ForeignTimestamp,
  notAfter: ForeignTimestamp,
  fingerprint: Type.String({ description: "SHA-256, as browsers show it" }),
  keyType: Type.String(),
  selfSigned: Type.Boolean(),
};
const CertificateFacts = Type.Object(facts);
/** Fields read from a certificate. */
export type CertificateFacts = Static<typeof CertificateFacts>;

export const Certificate = Type.Object({
  ...facts,
  daysLeft: Type.Integer({ description: "negative once it has ended" }),
  problem: Type.Union([Type.String(), Type.Null()], {
    description: "why the newest files were not taken: the certificate before them serves on",
  }),
});
export type Certificate = Static<typeof Certificate>;

export const certificateCommands = {
  get_certificate: command({
    summary: "Show the TLS certificate of the server",
    description: "null where the server has none: it serves plain HTTP, on loopback alone",
    role: "administrator",
    input: NOTHING_IN,
    output: Type.Object({
      addresses: Type.Array(Type.String(), { description: "where the server is reached" }),
      certificate: Type.Union([Certificate, Type.Null()]),
    }),
    errors: [],
    route: "GET /certificate",
    cli: ["certificate", "show"],
    readOnly: true,
    withoutLibvirt: true,
  }),
} as const;
