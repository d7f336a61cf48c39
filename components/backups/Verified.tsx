import type { verifiedOf } from "../../lib/backup/describe.ts";
import { backups } from "../../lib/i18n/en/backups.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(backups);

const LOOKS = {
  ok: { word: "backups.verified_ok", icon: "shield", tone: "ok" },
  bad: { word: "backups.verified_bad", icon: "circleAlert", tone: "bad" },
  never: { word: "backups.verified_never", icon: "circleHelp", tone: "warn" },
} as const;

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
