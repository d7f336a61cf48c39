import { useSignal } from "@preact/signals";
import { Empty } from "../components/Empty.tsx";
import { Panel } from "../components/Panel.tsx";
import { PoolTable } from "../components/storage/PoolTable.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { usePoolChanges } from "../lib/client/use_pools.ts";
import type { StoragePool } from "../lib/contract/mod.ts";
import { storage as texts } from "../lib/i18n/en/storage.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** The list of storage pools, live. */
export default function StoragePools({ pools, connected }: { pools: StoragePool[]; connected: boolean }) {
  const shown = useSignal(pools);
  usePoolChanges(undefined, async () => {
    shown.value = await api.getStoragePools();
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
