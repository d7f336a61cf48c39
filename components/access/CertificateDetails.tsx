import type { Certificate } from "../../lib/contract/certificate.ts";
import { EXPIRY_WARNING_DAYS } from "../../lib/contract/certificate.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { certificate as texts } from "../../lib/i18n/en/certificate.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import CopyText from "../../islands/CopyText.tsx";
import { Flash } from "../kit/Flash.tsx";
import { Fact } from "../kit/Fact.tsx";

const { t, plural } = textsOf(texts);

/** Problems of a certificate, with remedies. */
export function CertificateWarnings({ daysLeft, origin, problem }: Certificate) {
  // Our own is made again by itself: that it ends soon needs no action.
  const isEnding = daysLeft < EXPIRY_WARNING_DAYS && (origin === "files" || daysLeft < 0);
  return (
    <>
      {isEnding && (
        <Flash
          tone={daysLeft < 0 ? "bad" : "warn"}
          icon="circleAlert"
          title={daysLeft < 0 ? t("certificate.ended") : t("certificate.ending")}
        >
          {t("certificate.replace")}
        </Flash>
      )}
      {problem !== null && (
        <Flash tone="bad" icon="circleAlert" title={t("certificate.problem")}>
          {problem} {t("certificate.problem_what")}
        </Flash>
      )}
    </>
  );
}

/** A certificate: for whom, by whom, until when, and its fingerprint to compare. */
export function CertificateDetails(certificate: Certificate) {
  const { subject, issuer, names, notBefore, notAfter, fingerprint, keyType, selfSigned, daysLeft } =
    certificate;
  return (
    <dl class="description-list">
      <Fact label={t("certificate.subject")}>{subject}</Fact>
      <Fact label={t("certificate.names")}>{names.join(", ")}</Fact>
      <Fact label={t("certificate.issuer")}>{selfSigned ? t("certificate.itself") : issuer}</Fact>
      <Fact label={t("certificate.begins")}>{formatMoment(notBefore)}</Fact>
      <Fact label={t("certificate.ends")}>
        {formatMoment(notAfter)}
        {daysLeft >= 0 && <span class="text-muted">{plural("certificate.days", daysLeft)}</span>}
      </Fact>
      <Fact label={t("certificate.key")}>{keyType}</Fact>
      <Fact label={t("certificate.fingerprint")}>
        <code class="fingerprint">{fingerprint}</code>
        <CopyText text={fingerprint} what={t("certificate.fingerprint_name")} />
      </Fact>
    </dl>
  );
}
