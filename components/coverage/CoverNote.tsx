/** Notes on VMs that a schedule, backup, alert or user does not cover, below its targets. */
import { coverage as texts } from "../../lib/i18n/en/coverage.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { namesText } from "../../lib/coverage/coverage.ts";
import { oneLine } from "../../lib/text/text.ts";

const { t } = textsOf(texts);

/** Props of {@link CoverNote}: fields of schedules, backups, alerts, silences and users. */
export interface CoverNoteProps {
  readonly of: {
    readonly uncovered?: readonly string[];
    readonly leftOut?: readonly { readonly name: string }[];
    readonly ownerLost?: string;
  };
}

/** Names that no VM has, VMs that are left out, and why it cannot run; nothing where all is well. */
export function CoverNote({ of: { uncovered = [], leftOut = [], ownerLost } }: CoverNoteProps) {
  const notes = [
    ...uncovered.length === 0 ? [] : [t("coverage.uncovered", { names: namesText(uncovered) })],
    ...leftOut.length === 0
      ? []
      : [t("coverage.left_out", { names: namesText(leftOut.map(({ name }) => name)) })],
    ...ownerLost === undefined ? [] : [t("coverage.owner_lost", { reason: oneLine(ownerLost, 200) })],
  ];
  return notes.map((note) => <span key={note} class="cover-note">{note}</span>);
}
