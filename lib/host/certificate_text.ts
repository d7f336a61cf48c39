/** That the certificate of a linked host has expired, in words. */
import { hosts as texts } from "../i18n/en/hosts.ts";
import { textsOf } from "../i18n/mod.ts";
import { formatMoment } from "../text/time.ts";

const { t } = textsOf(texts);

/** When it has expired and what to do; undefined while it is valid, or unknown. @param endsAt, now milliseconds since 1970 */
export const expiredText = (endsAt: number | undefined, now: number): string | undefined =>
  endsAt === undefined || endsAt > now
    ? undefined
    : t("hosts.certificate_expired", { time: formatMoment(endsAt) });
