/** Judges of what is our own: the database, its files, the certificate. */
import { DAY_MS } from "../../duration.ts";
import { formatBytes } from "../../text/quantity.ts";
import type { DoctorFacts } from "./facts.ts";
import { type Finding, judged, needsAction, passed, shellWord } from "./finding.ts";
import { message } from "../../i18n/message.ts";

/** Bytes below which the database may soon not be written. */
const LITTLE = 200 * 2 ** 20;
/** Days after which a saved state is old. */
const OLD_DAYS = 30;

/** The database and the folder it is in. */
export function judgeState({ state }: DoctorFacts): Finding[] {
  return judged(state, "the database", ({ dataDir, version, known, damage, open, free, savedAt, now }) => {
    if (version === null && damage === null) return [passed(message`there is no database in ${dataDir} yet`)];
    const findings: Finding[] = [];
    if (damage !== null) {
      findings.push(
        needsAction(
          "problem",
          message`the database in ${dataDir} is damaged: ${damage}`,
          "Stop the service, put a saved state back, start it.",
          "systemctl stop kvm-manager; kvm-manager restore-state FILE; systemctl start kvm-manager",
        ),
      );
    }
    if (version !== null && version > known) {
      findings.push(
        needsAction(
          "problem",
          message`the database (version ${version}) is newer than this program (${known})`,
          "Install the version that wrote it, or put back a state saved with this one: docs/install.md, Upgrading.",
        ),
      );
    }
    if (open.length > 0) {
      findings.push(
        needsAction(
          "problem",
          message`others may read ${open.join(", ")}: password hashes and keys are in there`,
          "Take that away.",
          `chmod -R go-rwx ${shellWord(dataDir)}`,
        ),
      );
    }
    if (free !== null && free < LITTLE) {
      findings.push(
        needsAction(
          "warning",
          message`only ${formatBytes(free)} are free where the database is (${dataDir})`,
          "Make room: what cannot be written down is not audited.",
        ),
      );
    }
    if (savedAt === null || now - savedAt > OLD_DAYS * DAY_MS) {
      const days = savedAt === null ? null : Math.floor((now - savedAt) / DAY_MS);
      findings.push(
        needsAction(
          "warning",
          days === null
            ? message`KVM Manager's own state was never saved`
            : message`KVM Manager's own state was saved ${days} days ago for the last time`,
          "Save it, and keep the file elsewhere.",
          "kvm-manager backup-state /root/kvm-manager.state",
        ),
      );
    }
    return findings.length > 0
      ? findings
      : [passed(message`the database (version ${version}) is whole, and other users cannot read it`)];
  });
}

/** Days before its end that a certificate is told of. */
const WARN_DAYS = 21;

/** The certificate that serves. */
export function judgeCertificate({ certificate }: DoctorFacts): Finding[] {
  return judged(certificate, "the certificate", (facts) => {
    if (facts === null) return [passed("there is no certificate: pages are on loopback alone")];
    const { path, validUntil, now } = facts;
    const days = Math.floor((validUntil - now) / DAY_MS);
    const renew = "Put a new one in its place; it is taken without a restart.";
    if (days < 0) {
      return [needsAction("problem", message`the certificate ${path} ended ${-days} days ago`, renew)];
    }
    if (days < WARN_DAYS) {
      return [needsAction("warning", message`the certificate ${path} ends in ${days} days`, renew)];
    }
    return [passed(message`the certificate ${path} is good for ${days} days`)];
  });
}
