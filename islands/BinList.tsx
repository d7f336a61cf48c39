import { BinTable } from "../components/bin/BinTable.tsx";
import { Empty } from "../components/kit/Empty.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { whenChanged } from "../lib/client/query.ts";
import { useQuery } from "../lib/client/use_query.ts";
import type { BinEntry, BinUsage } from "../lib/contract/mod.ts";
import { bin as texts } from "../lib/i18n/en/bin.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { formHref } from "../lib/text/form_href.ts";
import { formatBytes } from "../lib/text/quantity.ts";
import { oneLine } from "../lib/text/text.ts";

const { t, plural } = textsOf(texts);

/** Entries of the bin, and the space that they take. */
interface Bin {
  readonly entries: readonly BinEntry[];
  readonly usage: BinUsage;
}

/** Props of {@link BinList}. */
export interface BinListProps {
  bin: Bin;
  /** When the page was rendered; milliseconds since 1970. */
  now: number;
  mayEmpty: boolean;
  title: string;
}

/** Sizes of the bin, in all and by pool. */
function Sums({ usage: { bytes, pools } }: { usage: BinUsage }) {
  return (
    <span class="count">
      {[
        t("bin.takes", { size: formatBytes(bytes) }),
        ...pools.map(({ pool, bytes }) =>
          t("bin.of_pool", { pool: oneLine(pool, 40), size: formatBytes(bytes) })
        ),
      ].join(" · ")}
    </span>
  );
}

/** List of the bin, live. */
export default function BinList({ bin: first, now, mayEmpty, title }: BinListProps) {
  const { value } = useQuery<{ readonly bin: Bin; readonly now: number }>({
    first: { bin: first, now },
    read: async () => {
      const [entries, usage] = await Promise.all([api.listBin(), api.getBinUsage()]);
      return { bin: { entries, usage }, now: Date.now() };
    },
    follow: whenChanged(live.binChanges),
  });
  const { bin } = value.value, { days } = bin.usage.policy;
  const isEmpty = bin.entries.length === 0;
  return (
    <>
      <header class="page-head">
        <h1>{title}</h1>
        {!isEmpty && <Sums usage={bin.usage} />}
        {!isEmpty && mayEmpty && (
          <form class="actions" method="post" action={formHref("empty_bin", {}, "/bin")}>
            <button type="submit" class="button danger">{t("bin.empty_all")}</button>
          </form>
        )}
      </header>
      {bin.usage.held !== undefined && <Flash tone="warn" title={t("bin.held")}>{bin.usage.held}</Flash>}
      {isEmpty
        ? (
          <Empty icon="trash" title={t(days > 0 ? "bin.empty" : "bin.is_off")}>
            <p>{days > 0 ? plural("bin.empty_what", days) : t("bin.is_off_what")}</p>
          </Empty>
        )
        : <BinTable entries={bin.entries} now={value.value.now} />}
    </>
  );
}
