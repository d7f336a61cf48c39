/** Command line texts on deletions that the bin may keep, and on restored items. */
import { message, render, type Sentence } from "../../lib/i18n/message.ts";
import type { BinReceipt, Output } from "../../lib/contract/mod.ts";
import { formatMoment } from "../../lib/text/time.ts";
import type { ExtrasTable, InputDraft, Report } from "./verb_extras.ts";

/** Until when it is kept, and how it comes back. */
export const receiptLine = ({ until, entryId }: BinReceipt): string =>
  render(message`It is in the bin until ${formatMoment(until)}: kvm-manager bin restore ${entryId}`);

/** Says what became of what was deleted. @param label what it is called */
const deletion = (label: (input: InputDraft) => Sentence): Report => ({
  before: (_server, input) => Promise.resolve(label(input)),
  lines: (_name, what, answer) => {
    const { bin } = answer as { readonly bin: BinReceipt | null };
    return bin === null
      ? [render(message`Deleted ${what} for good.`)]
      : [render(message`Deleted ${what}.`), receiptLine(bin)];
  },
});

export const BIN_EXTRAS: ExtrasTable = {
  delete_volume: { report: deletion(({ pool, volume }) => `${String(pool)}/${String(volume)}`) },
  delete_template: {
    report: deletion(({ version }) =>
      version === undefined ? message`the template` : message`its version ${String(version)}`
    ),
  },
  restore_bin_entry: {
    report: {
      before: () => Promise.resolve(undefined),
      lines: (_name, _before, answer) => {
        const { name, warnings } = answer as Output<"restore_bin_entry">;
        return [render(message`Restored ${name}.`), ...warnings.map((warning) => `  ${warning}`)];
      },
    },
  },
};
