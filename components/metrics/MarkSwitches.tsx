import { MARK_KINDS, type MarkKind } from "../../lib/metrics/marks.ts";
import { monitoring } from "../../lib/i18n/en/monitoring.ts";
import { number, type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";

const texts = textsOf(monitoring);

const WORDS: Readonly<Record<MarkKind, PlainKeyOf<typeof monitoring>>> = {
  power: "monitoring.mark.power",
  snapshot: "monitoring.mark.snapshot",
  backup: "monitoring.mark.backup",
  change: "monitoring.mark.change",
  trouble: "monitoring.mark.trouble",
  alert: "monitoring.mark.alert",
};

/** Props of {@link MarkSwitches}. */
export interface MarkSwitchesProps {
  shown: ReadonlySet<MarkKind>;
  /** How many of each kind there are. */
  counts: Readonly<Record<MarkKind, number>>;
  /** There were more: so many of the newest are marked. */
  newest: number | undefined;
  onToggle: (kind: MarkKind) => void;
}

/** Switches for the kinds of events on the time line. */
export function MarkSwitches({ shown, counts, newest, onToggle }: MarkSwitchesProps) {
  return (
    <div class="chips needs-script" role="group" aria-label={texts.t("monitoring.events")}>
      {MARK_KINDS.map((kind) => (
        <button
          key={kind}
          type="button"
          class="chip"
          aria-pressed={shown.has(kind)}
          onClick={() => onToggle(kind)}
        >
          <span class="mark-key" data-mark={kind} aria-hidden="true" />
          {texts.t(WORDS[kind])}
          <span class="chip-count">{number(counts[kind])}</span>
        </button>
      ))}
      {newest !== undefined && (
        <span class="text-muted">{texts.t("monitoring.marks_newest", { n: newest })}</span>
      )}
    </div>
  );
}
