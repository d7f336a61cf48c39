/** Why libvirt cannot be reached, and when it is worth another try. */
import { CONNECT_SECONDS } from "../../ffi/calls/events.ts";
import { LibvirtError, type SignInFailure, VIR_ERR } from "../../ffi/error.ts";
import { errorText } from "../../lib/contract/mod.ts";

const KEY_CHANGED =
  "The SSH host key is not the one that is known of this host. Edit the host's connection to compare the key.";
const KEY_REFUSED =
  "SSH refuses the user or the key. Add KVM Manager's public key to that user's authorized_keys.";
const SSH_REFUSALS: ReadonlySet<string> = new Set([KEY_CHANGED, KEY_REFUSED]);

/** How signing in to libvirt failed, and what to do. */
const SIGN_IN: Readonly<Record<SignInFailure, string>> = {
  needed: "This libvirt asks for a user and a password. Give both with the host's connection.",
  refused: "This libvirt refuses the user or the password. Give the right ones with the host's connection.",
  ticket:
    "This libvirt lets in by Kerberos. KVM Manager needs a ticket for it: name its keytab in KRB5_CLIENT_KTNAME, or the file of a ticket " +
    "that something else renews in KRB5CCNAME (systemctl edit kvm-manager), and start KVM Manager again. A user and a password are not needed.",
  impossible:
    "This libvirt lets no user in by a password that KVM Manager could give. Have its /etc/sasl2/libvirt.conf offer scram-sha-256, " +
    "and install the SASL modules on the host of KVM Manager (Debian: libsasl2-modules, Fedora: cyrus-sasl-scram).",
};

type Advice = readonly (readonly [said: RegExp, advice: string])[];

/** Advice on a certificate of the host that has expired, or is not valid yet. */
const HOST_CERTIFICATE_ADVICE =
  "Replace servercert.pem on the host by a valid one and restart its libvirt, or set the clock that is wrong.";

/** libvirt's messages on certificates → advice. */
const CERTIFICATE_ADVICE: Advice = [
  [
    /certificate .* (?:has expired|is not yet active)/,
    "Put a valid one in its place, or set this host's clock if it is wrong: the next attempt takes it.",
  ],
  [
    /Failed to verify peer's certificate/,
    "The certificate of the host is of another CA, or for another name. Connect by a name that is in it, and put the " +
    "certificate of its CA into cacert.pem of the folder that pkipath names (without pkipath: /etc/pki/CA).",
  ],
  [
    /Unable to read TLS confirmation/,
    "The host refuses the certificate of KVM Manager, or got none. Put clientcert.pem and clientkey.pem, signed by a CA that the host " +
    "trusts, into the folder that pkipath names (without pkipath: /etc/pki/libvirt).",
  ],
  [
    /CA certificate|Our own certificate|client certificate|client private key/i,
    "Put cacert.pem, clientcert.pem and clientkey.pem of one CA into a folder that KVM Manager can read, and name it with pkipath.",
  ],
];

/** libvirt's messages on the connection to another machine → advice. */
const FAR_ADVICE: Advice = [
  ...CERTIFICATE_ADVICE,
  [
    /unable to connect to server at .*Connection refused/,
    "Libvirt does not listen there. Start its socket on the host (systemctl enable --now virtproxyd-tls.socket or libvirtd-tls.socket).",
  ],
];

/** Messages of Kerberos → advice, if a ticket of KVM Manager's would not help. */
const KERBEROS_ADVICE: Advice = [
  [
    /Cannot contact any KDC/,
    "This libvirt lets in by Kerberos. Start the KDC of that realm, or name it in /etc/krb5.conf of KVM Manager's host.",
  ],
  [
    /not found in Kerberos database/,
    "This libvirt lets in by Kerberos. Add this principal to the realm and its key to the keytab of that libvirt, or connect by the " +
    "name that the principal has.",
  ],
];

/** The same text with advice behind it, once. */
const advised = (message: string, advice: string) =>
  message.includes(advice) ? message : `${message}. ${advice}`;

const adviceFor = (message: string, all: Advice): string | undefined =>
  all.find(([said]) => said.test(message))?.[1];

/**
 * Message of Kerberos, without the words of libvirt, libsasl and GSSAPI around it: `No Kerberos credentials
 * available`.
 */
function kerberosText(message: string): string {
  const [, minor] = /GSSAPI Error: [^(]*\(([^()]*(?:\([^()]*\))?[^()]*)\)/.exec(message) ?? [];
  return minor?.trim().replace(/\.$/, "") || message;
}

/** Whether libvirt refuses the certificate of a host without saying why. */
export const isCertificateRefused = ({ message }: LibvirtError): boolean =>
  message.includes("Failed to verify peer's certificate");

/** That the certificate of a host is not valid now. @param problem with the times of that certificate, a clause */
export const invalidNowText = ({ message }: LibvirtError, problem: string): string =>
  `${message}: ${problem}. ${HOST_CERTIFICATE_ADVICE}`;

/** Whether a libvirt is reached over the network without SSH. */
const isByTls = (uri: string) => uri.startsWith("qemu+tls:");

/** That a libvirt has not answered in time. */
export const notAnswering = (uri: string): string =>
  isByTls(uri)
    ? `No answer within ${CONNECT_SECONDS} seconds: the host is off, a firewall drops what is sent to it, or its libvirt hangs`
    : `Libvirtd accepts connections but does not answer (waited ${CONNECT_SECONDS} seconds)`;

/** Why libvirt cannot be reached, in words a person can act on. @param uri of the libvirt; left out, of the local one */
export function unavailableText(error: LibvirtError, uri = ""): string {
  // Kerberos itself says what is wrong with the ticket
  if (error.signIn === "ticket") {
    const text = kerberosText(error.message);
    return advised(text, adviceFor(text, KERBEROS_ADVICE) ?? SIGN_IN.ticket);
  }
  if (error.signIn !== undefined) return SIGN_IN[error.signIn];
  if (error.kind === "timeout" || error.kind === "busy" || error.kind === "silent") return notAnswering(uri);
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION/i.test(error.message)) return KEY_CHANGED;
  if (/Permission denied \(|Too many authentication failures/.test(error.message)) return KEY_REFUSED;
  if (isByTls(uri)) {
    const advice = adviceFor(error.message, FAR_ADVICE);
    return advice === undefined ? error.message : advised(error.message, advice);
  }
  const denied = error.code === VIR_ERR.AUTH_UNAVAILABLE || error.code === VIR_ERR.AUTH_CANCELLED ||
    error.code === VIR_ERR.AUTH_FAILED || error.code === VIR_ERR.ACCESS_DENIED ||
    /permission denied/i.test(error.message);
  if (denied) return errorText("PermissionDenied");
  // Of another machine, its own words tell more
  const isElsewhere = /system bus|Cannot recv data/i.test(error.message);
  if (!isElsewhere && /No such file or directory|Connection refused/i.test(error.message)) {
    return errorText("LibvirtUnavailable");
  }
  return error.message;
}

/** Pauses between attempts, in milliseconds; the last one repeats. */
const BACKOFF_MS = [100, 250, 500, 1000, 2000, 3000];
/** Milliseconds after which what a person has to change is tried again: servers shut out who comes too often. */
const REFUSED_MS = 60_000;
/**
 * The same for a password that was refused. Accounts are locked after as few as three refusals within a quarter of an hour
 * (pam_faillock; ESXi: five): there are never more than two.
 */
const WRONG_PASSWORD_MS = [REFUSED_MS, 20 * 60_000, 60 * 60_000];

const step = (pauses: readonly number[], count: number) => pauses[Math.min(count, pauses.length - 1)]!;

/** When an attempt that failed is made again. */
export class RetryPauses {
  #attempts = 0;
  #refusals = 0;

  /** Milliseconds until the next attempt. @param text reason of this failure, as reported to people */
  next(text: string): number {
    if (text === SIGN_IN.refused) return step(WRONG_PASSWORD_MS, this.#refusals++);
    const isRefused = SSH_REFUSALS.has(text) || Object.values(SIGN_IN).some((each) => text.includes(each)) ||
      text.includes(HOST_CERTIFICATE_ADVICE) ||
      [...CERTIFICATE_ADVICE, ...KERBEROS_ADVICE].some(([, advice]) => text.includes(advice));
    if (isRefused) return REFUSED_MS;
    return step(BACKOFF_MS, this.#attempts++);
  }

  /** Begins again: there was a connection, or another user or password. */
  reset(): void {
    this.#attempts = this.#refusals = 0;
  }
}
