import { IS_BROWSER } from "fresh/runtime";
import { signal, useSignal } from "@preact/signals";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { AwayHosts } from "../components/vm/list/AwayHosts.tsx";
import { BulkBar } from "../components/vm/list/BulkBar.tsx";
import { Empty } from "../components/kit/Empty.tsx";
import { ListTools } from "../components/vm/list/ListTools.tsx";
import { VmCards } from "../components/vm/list/VmCards.tsx";
import { type MenuTarget, VmMenu } from "../components/vm/list/VmMenu.tsx";
import { VmTable } from "../components/vm/list/VmTable.tsx";
import { live } from "../lib/client/live.ts";
import { reportFailure } from "../lib/client/toasts.ts";
import { useKeptPlace } from "../lib/client/use_kept_place.ts";
import { useListKeys } from "../lib/client/use_list_keys.ts";
import { useListLayout } from "../lib/client/use_list_layout.ts";
import { useWindow } from "../lib/client/use_window.ts";
import { VmListModel } from "../lib/client/vm_list_model.ts";
import { VmStore } from "../lib/client/vm_store.ts";
import type { ConnectionStatus, VM } from "../lib/contract/mod.ts";
import type { ListedHost } from "../lib/host/listed.ts";
import { DEFAULT_QUERY, type ListQuery, type StateFilter } from "../lib/vm/list_query.ts";
import { listLines } from "../lib/vm/list_lines.ts";
import { lineOffsets } from "../lib/text/window.ts";
import { list as listTexts } from "../lib/i18n/en/list.ts";
import { number, plural, t, textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(listTexts);

/** Props of {@link VmList}. */
export interface VmListProps {
  /** The first rows: at most a page of them. */
  vms: readonly VM[];
  /** How many VMs match the query. */
  matching: number;
  counts: Readonly<Record<StateFilter, number>>;
  query: ListQuery;
  /** The hosts of the VMs, where the list is of several. */
  hosts: readonly ListedHost[];
  connected: boolean;
  /** Address of the page that creates VMs; null without the right to. */
  newVm: string | null;
  mayImport: boolean;
  mayImportOva: boolean;
  mayImportFrom: boolean;
  /** When the page was rendered. */
  now: number;
}

/** On the server nothing is heard: hosts are as the page was told. */
const UNHEARD = signal<ConnectionStatus | null>(null);

function modelOf(props: VmListProps): VmListModel {
  // On the server every render has a store of its own: what one person sees is not for others.
  const store = IS_BROWSER ? live.vms : new VmStore();
  // Never complete: the page's VMs are lean, and what is done to them needs to know their disks.
  store.seed(props.vms, false);
  // Asked for before the page's rows are hydrated: both take their time at once.
  if (IS_BROWSER) live.complete().catch((error) => reportFailure("failed.list", error));
  return new VmListModel(store, props, IS_BROWSER ? live.connectionOf : () => UNHEARD);
}

/** The head of the page: how many VMs there are, and how to get another. */
function Head(
  { counts, newVm, mayImport, mayImportOva, mayImportFrom }:
    & Pick<VmListProps, "newVm" | "mayImport" | "mayImportOva" | "mayImportFrom">
    & { counts: Readonly<Record<StateFilter, number>> },
) {
  return (
    <header class="page-head">
      <h1>{t("nav.vms")}</h1>
      <span class="count">{number(counts.all)} · {plural("vms.running", counts.running)}</span>
      <span class="actions">
        {mayImportFrom && <a class="button" href="/vms/import-from">{t("manage.import_from")}</a>}
        {mayImportOva && <a class="button" href="/vms/import-ova">{t("manage.import_ova")}</a>}
        {mayImport && <a class="button" href="/vms/import">{t("manage.import")}</a>}
        {newVm !== null && <a class="button primary" href={newVm}>{t("vms.new")}</a>}
      </span>
    </header>
  );
}

/** The VMs: filtered, sorted and grouped as the address says, kept up to date, and what can be done to them. */
export default function VmList(props: VmListProps) {
  const { now, connected, newVm, mayImport, mayImportOva, mayImportFrom } = props;
  const model = useMemo(() => modelOf(props), []);
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const menu = useSignal<MenuTarget | null>(null);
  const metrics = useListLayout(root);

  useEffect(
    () =>
      // The address follows what is asked for, without a new entry for every letter typed.
      model.query.subscribe(() => history.replaceState(history.state, "", location.pathname + model.search)),
    [],
  );

  const query = model.query.value;
  const groups = model.groups.value;
  const selected = model.selected.value;
  const counts = model.counts.value;
  const rows = model.rows.value;
  const isBroken = live.stream.value === "broken", manyHosts = props.hosts.length > 0;
  // Of several hosts each row knows its own: one that is away holds up no other
  const enabled = manyHosts ? !isBroken : live.controls(connected);

  const columns = query.view === "table" ? 0 : metrics?.columns ?? Infinity;
  const lines = useMemo(() => listLines(groups, query.by, columns), [groups, query.by, columns]);
  const offsets = useMemo(
    () => lineOffsets(lines.map(({ kind }) => metrics?.heights[kind] ?? 0)),
    [lines, metrics],
  );
  const window = useWindow(list, offsets);
  useKeptPlace(offsets.at(-1) ?? 0);
  useListKeys({ model, list, search, lines, offsets });

  const onMenu = useCallback((vm: VM, anchor: DOMRect) => {
    menu.value = { vm, anchor };
  }, []);
  const onAsk = useCallback((change: Partial<ListQuery>) => model.ask(change), []);
  const view = {
    list,
    lines,
    window,
    query,
    selected,
    count: model.matching.value,
    item: { model, now, enabled, onMenu },
    onAsk,
  };

  return (
    <div
      ref={root}
      class="vm-list"
      data-hosts={manyHosts && !isBroken ? "" : undefined}
      data-tags={rows.some(({ tags }) => tags.length > 0) ? "" : undefined}
    >
      <Head counts={counts} {...{ newVm, mayImport, mayImportOva, mayImportFrom }} />
      <AwayHosts hosts={model.away.value} now={now} />
      {counts.all === 0
        ? (
          <Empty icon="vms" title={t("empty.vms")}>
            <p>{t("empty.vms_what")}</p>
            <p>{t("empty.vms_first")}</p>
            {newVm !== null && <a class="button primary" href={newVm}>{t("vms.new")}</a>}
          </Empty>
        )
        : (
          <>
            <ListTools
              query={query}
              counts={counts}
              hosts={model.hostLabels}
              search={search}
              onAsk={onAsk}
            />
            <p class="visually-hidden" role="status">{texts.plural("list.shown", view.count)}</p>
            {rows.length === 0
              ? (
                <Empty icon="search" title={t("empty.match")}>
                  <a
                    class="button"
                    href="/vms"
                    onClick={(event) => {
                      event.preventDefault();
                      onAsk({ ...DEFAULT_QUERY, view: query.view });
                    }}
                  >
                    {t("empty.match_reset")}
                  </a>
                </Empty>
              )
              : query.view === "table"
              ? (
                <VmTable
                  {...view}
                  allSelected={selected.size > 0 && selected.size === model.selectable.value}
                  onToggleAll={() => model.toggleAll()}
                />
              )
              : <VmCards {...view} />}
            <BulkBar vms={model.selectedVms.value} enabled={enabled} onClear={() => model.clear()} />
          </>
        )}
      <VmMenu
        target={menu.value}
        enabled={enabled && (menu.value === null || model.awayOf(menu.value.vm) === undefined)}
        onClose={() => menu.value = null}
      />
    </div>
  );
}
