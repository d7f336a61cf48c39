import type { bootedOf, verifiedOf } from "../../lib/backup/describe.ts";
import { backups } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(backups);

const LOOKS = {
  ok: { word: "backups.verified_ok", icon: "shield", tone: "ok" },
  bad: { word: "backups.verified_bad", icon: "circleAlert", tone: "bad" },
  never: { word: "backups.verified_never", icon: "circleHelp", tone: "warn" },
} as const;

const BOOT_LOOKS = {
  ok: { word: "backups.booted_ok", icon: "shield", tone: "ok" },
  bad: { word: "backups.booted_bad", icon: "circleAlert", tone: "bad" },
  never: { word: "backups.booted_never", icon: "circleHelp", tone: "warn" },
} as const;

/** Whether copies were booted as a test, as icon, word and colour. */
export function Booted({ is }: { is: ReturnType<typeof bootedOf> }) {
  if (is === "none") return null;
  const { word, icon, tone } = BOOT_LOOKS[is];
  return (
    <span class="state" data-tone={tone}>
      <Icon name={icon} />
      <span class="state-word">{t(word)}</span>
    </span>
  );
}

/** Whether copies were verified, as icon, word and colour. */
export function Verified({ is }: { is: ReturnType<typeof verifiedOf> }) {
  if (is === "none") return null;
  const { word, icon, tone } = LOOKS[is];
  return (
    <span class="state" data-tone={tone}>
      <Icon name={icon} />
      <span class="state-word">{t(word)}</span>
    </span>
  );
}
