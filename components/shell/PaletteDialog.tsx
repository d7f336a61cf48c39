import { based } from "../../lib/client/base.ts";
import { useSignal } from "@preact/signals";
import { useEffect, useId, useMemo, useRef } from "preact/hooks";
import { runAction } from "../../lib/client/run_action.ts";
import { looking } from "../../lib/access/looking.ts";
import { live } from "../../lib/client/live.ts";
import { type Effect, findCommands, type PalettePage, type PaletteScope } from "../../lib/client/palette.ts";
import { api } from "../../lib/client/api.ts";
import { SETTINGS_TABS } from "../../lib/access/settings_tabs.ts";
import { setTheme } from "../../lib/client/preferences.ts";
import { pageHost } from "../../lib/client/page_host.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { type ListedHost, listedHosts } from "../../lib/host/listed.ts";
import { reportFailure } from "../../lib/client/toasts.ts";
import { crumbs as crumbTexts } from "../../lib/i18n/en/crumbs.ts";
import { palette as paletteTexts } from "../../lib/i18n/en/palette.ts";
import { number, t, textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";
import { Highlight } from "../kit/Highlight.tsx";
import { destinationsFor } from "./navigation.ts";

const texts = textsOf(paletteTexts), crumbs = textsOf(crumbTexts);

/** Rights that decide which pages and actions can be found, besides VMs. */
export interface PaletteRights {
  readonly administrator: boolean;
  /** Has a session to end. */
  readonly maySignOut: boolean;
  readonly networks: boolean;
  readonly pools: boolean;
  readonly images: boolean;
}

type Resources = Pick<PaletteScope<IconName>, "networks" | "pools" | "images">;

const NO_RESOURCES: Resources = { networks: [], pools: [], images: [] };

/** Reads the lists, each by itself: one that fails is told of, and takes no other away. */
function readResources(rights: PaletteRights, tell: (read: Partial<Resources>) => void): void {
  const reads: readonly (false | Promise<Partial<Resources>>)[] = [
    rights.networks && api.getNetworks().then((networks) => ({ networks })),
    rights.pools && api.getStoragePools().then((pools) => ({ pools })),
    rights.images && api.listImages().then(({ images }) => ({ images })),
  ];
  for (const read of reads) if (read) read.then(tell).catch((error) => reportFailure(undefined, error));
}

/** The hosts, and the VMs of those whose VMs the page does not know: pages of the local host know all. */
interface Elsewhere {
  readonly hosts: readonly ListedHost[];
  readonly otherVms: readonly VM[];
}

/** Reads the hosts, then their VMs, each host by itself: one that does not answer has none to find. */
async function readElsewhere(tell: (read: Elsewhere) => void): Promise<void> {
  const hosts = listedHosts(await api.listHosts());
  tell({ hosts, otherVms: [] });
  if (pageHost() === LOCAL_HOST) return;
  const others = hosts.filter(({ id, connected }) => connected && id !== pageHost());
  const read = await Promise.allSettled(others.map(({ id }) => api.getVms({ host: id })));
  tell({ hosts, otherVms: read.flatMap((each) => each.status === "fulfilled" ? each.value : []) });
}

/** The pages of the sidebar, those below the settings, and some that are looked for by name. */
function pagesFor({ administrator, images }: PaletteRights): PalettePage<IconName>[] {
  return [
    ...destinationsFor(looking()?.offers ?? null).map(({ href, label, icon }) => ({
      href,
      label: t(label),
      icon,
    })),
    ...SETTINGS_TABS.filter((tab) => !tab.administrator || administrator)
      .map(({ href, label }) => ({ href, label: crumbs.t(label), icon: "settings" as const })),
    ...(images
      ? [{ href: "/images/catalog", label: texts.t("palette.catalog"), icon: "disc" as const }]
      : []),
    { href: "/tasks", label: t("tasks.open"), icon: "activity" },
  ];
}

/** Does what was chosen. @param onKeys shows the keys that the pages know */
function carryOut(effect: Effect, onKeys: () => void): void {
  if (effect.kind === "go") location.assign(based(effect.href));
  else if (effect.kind === "theme") setTheme(effect.theme);
  else if (effect.kind === "keys") onKeys();
  // The user menu's own form: what watches it being sent sees this way, too.
  else if (effect.kind === "sign out") {
    document.querySelector<HTMLFormElement>(".user-popover form[action$='/sign-out']")?.requestSubmit();
  } else void runAction(effect.action, effect.vm);
}

/** Props of {@link PaletteDialog}. */
export interface PaletteDialogProps {
  rights: PaletteRights;
  onClose: () => void;
  onKeys: () => void;
}

/** Commands that fit a typed text. The VMs and other objects are read once, when the palette opens. */
function usePaletteCommands(rights: PaletteRights, typed: string) {
  const resources = useSignal(NO_RESOURCES);
  const elsewhere = useSignal<Elsewhere>({ hosts: [], otherVms: [] });

  useEffect(() => {
    live.complete().catch((error) => reportFailure("failed.list", error));
    readElsewhere((read) => elsewhere.value = read).catch((error) => reportFailure(undefined, error));
    // Without libvirt they are not known: the banner says so.
    if (!live.controllable.peek()) return;
    readResources(rights, (read) => resources.value = { ...resources.value, ...read });
  }, []);

  const controllable = live.controllable.value;
  const complete = live.vms.complete.value;
  // Events do not change the entries while somebody looks at them: Enter would meet another one.
  const vms = useMemo(() => live.vms.all.peek(), [typed, complete]);
  const pages = useMemo(() => pagesFor(rights), []);
  const { maySignOut } = rights;
  const found = useMemo(
    () =>
      findCommands(typed, {
        vms,
        pages,
        ...elsewhere.value,
        ...resources.value,
        controllable,
        maySignOut,
      }),
    [typed, vms, elsewhere.value, resources.value, controllable],
  );
  return { found, complete, vmCount: vms.length + elsewhere.value.otherVms.length };
}

/** The open command palette: a combobox in a dialog. */
export function PaletteDialog({ rights, onClose, onKeys }: PaletteDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const typed = useSignal("");
  const active = useSignal(0);
  const listId = useId();

  useEffect(() => dialog.current?.showModal(), []);

  const { found, complete, vmCount } = usePaletteCommands(rights, typed.value);
  const at = Math.min(active.value, found.length - 1);
  const optionId = (index: number) => `${listId}-${index}`;

  const run = (effect: Effect) => {
    // Closed first: the browser gives the focus back, and a question may take it.
    dialog.current?.close();
    carryOut(effect, onKeys);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      active.value = (at + step + found.length) % found.length;
    } else if (event.key === "Enter") {
      event.preventDefault();
      const chosen = found[at];
      if (chosen) run(chosen.command.effect);
    }
  };

  return (
    <dialog
      ref={dialog}
      class="dialog palette"
      aria-label={texts.t("palette.title")}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <div class="palette-box">
        <div class="palette-field">
          <Icon name="search" />
          <input
            type="text"
            role="combobox"
            aria-expanded="true"
            aria-controls={listId}
            aria-activedescendant={found.length > 0 ? optionId(at) : undefined}
            aria-autocomplete="list"
            aria-label={t("palette.open")}
            placeholder={texts.t("palette.placeholder")}
            autocomplete="off"
            spellcheck={false}
            autoFocus
            value={typed.value}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
              active.value = 0;
            }}
            onKeyDown={onKeyDown}
          />
        </div>
        <ul id={listId} role="listbox" class="palette-list" aria-label={texts.t("palette.results")}>
          {found.map(({ command, match }, index) => (
            <li
              key={command.id}
              id={optionId(index)}
              role="option"
              class="palette-option"
              aria-selected={index === at}
              ref={(element) => {
                if (index === at) element?.scrollIntoView({ block: "nearest" });
              }}
              onPointerMove={() => active.value = index}
              onClick={() => run(command.effect)}
            >
              <Icon name={command.icon} />
              <Highlight text={command.label} positions={match.positions} />
              <span class="palette-kind">{command.hint}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="palette-none">{texts.t("palette.none")}</p>}
        <p class="palette-foot" role="status">
          {texts.plural("palette.found", found.length)}
          {!complete && ` ${texts.t("palette.loading")}`}
          {complete &&
            ` ${texts.t("palette.of", { count: number(vmCount) })}`}
        </p>
      </div>
    </dialog>
  );
}
