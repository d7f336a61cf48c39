import { Empty } from "../components/kit/Empty.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { PoolTable } from "../components/storage/PoolTable.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { poolChanges, useQuery } from "../lib/client/use_query.ts";
import type { StoragePool } from "../lib/contract/mod.ts";
import { storage as texts } from "../lib/i18n/en/storage.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** The list of storage pools, live. */
export default function StoragePools({ pools, connected }: { pools: StoragePool[]; connected: boolean }) {
  const { value: shown } = useQuery<StoragePool[]>({
    first: pools,
    read: () => api.getStoragePools(),
    follow: poolChanges(),
  });
  const enabled = live.controls(connected);
  if (shown.value.length === 0) {
    return (
      <Empty icon="disk" title={t("storage.none")}>
        <p>{t("storage.none_what")}</p>
      </Empty>
    );
  }
  return (
    <Panel title={t("storage.pools")}>
      <PoolTable pools={shown.value} enabled={enabled} />
    </Panel>
  );
}
