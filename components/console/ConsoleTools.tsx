import { useRef } from "preact/hooks";
import { menuKeys, place } from "../../lib/client/popover.ts";
import { type Scaling, SCALINGS } from "../../lib/client/vnc_session.ts";
import { console as consoleTexts } from "../../lib/i18n/en/console.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { type RfbKey, SPECIAL_KEYS } from "../../lib/formats/rfb/keys.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(consoleTexts);
const MENU = "console-keys";

const SCALE_TEXTS: Readonly<Record<Scaling, PlainKeyOf<typeof consoleTexts>>> = {
  fit: "console.scale_fit",
  actual: "console.scale_actual",
  remote: "console.scale_remote",
};

/** Props of {@link ConsoleTools}. */
export interface ConsoleToolsProps {
  vmId: string;
  /** Whether there is a screen to send keys to. */
  connected: boolean;
  /** Whether the VM has a screen at all now, for remote-viewer. */
  viewable: boolean;
  viewOnly: boolean;
  scaling: Scaling;
  /** Whether dragging moves the picture; null where it has no room to move. */
  panning: boolean | null;
  full: boolean;
  onPress: (keys: readonly RfbKey[]) => void;
  onClipboard: () => void;
  onViewOnly: (viewOnly: boolean) => void;
  onScaling: (scaling: Scaling) => void;
  onPanning: (panning: boolean) => void;
  onFull: () => void;
}

/** Tools of a screen: keys, clipboard, scale, view only, full screen, file for remote-viewer. */
export function ConsoleTools(props: ConsoleToolsProps) {
  const menu = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const typable = props.connected && !props.viewOnly;
  const [ctrlAltDel, ...others] = SPECIAL_KEYS;
  return (
    <div class="console-tools" role="group" aria-label={t("console.toolbar")}>
      <button
        type="button"
        class="button"
        disabled={!typable}
        onClick={() => props.onPress(ctrlAltDel!.keys)}
        aria-label={t("console.send", { keys: ctrlAltDel!.name })}
      >
        {ctrlAltDel!.name}
      </button>
      <button
        ref={opener}
        type="button"
        class="button"
        disabled={!typable}
        popovertarget={MENU}
        aria-haspopup="menu"
      >
        <Icon name="keyboard" />
        {t("console.keys")}
      </button>
      <div
        ref={menu}
        id={MENU}
        class="menu console-keys"
        role="menu"
        popover="auto"
        aria-label={t("console.keys")}
        onKeyDown={menuKeys}
        onToggle={(event) => {
          if (event.newState !== "open" || opener.current === null) return;
          const { left, top, bottom } = opener.current.getBoundingClientRect();
          place(event.currentTarget, { left, right: left + event.currentTarget.offsetWidth, top, bottom });
          event.currentTarget.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
        }}
      >
        {others.map(({ name, keys }) => (
          <button
            key={name}
            type="button"
            role="menuitem"
            class="menu-item"
            onClick={() => {
              menu.current?.hidePopover();
              props.onPress(keys);
            }}
          >
            {name}
          </button>
        ))}
      </div>
      <button type="button" class="button" disabled={!typable} onClick={props.onClipboard}>
        <Icon name="clipboard" />
        {t("console.clipboard")}
      </button>
      <span class="console-space" />
      <div class="segments" role="group" aria-label={t("console.scale")}>
        {SCALINGS.map((scaling) => (
          <button
            key={scaling}
            type="button"
            class="segment words"
            aria-pressed={scaling === props.scaling ? "true" : "false"}
            onClick={() => props.onScaling(scaling)}
          >
            {t(SCALE_TEXTS[scaling])}
          </button>
        ))}
      </div>
      {props.panning !== null && (
        <label class="check">
          <input
            type="checkbox"
            checked={props.panning}
            onChange={(event) => props.onPanning(event.currentTarget.checked)}
          />
          <span>{t("console.pan")}</span>
        </label>
      )}
      <label class="check">
        <input
          type="checkbox"
          checked={props.viewOnly}
          onChange={(event) => props.onViewOnly(event.currentTarget.checked)}
        />
        <span>{t("console.view_only")}</span>
      </label>
      {props.viewable && (
        <a
          class="button square"
          href={`/vms/${encodeURIComponent(props.vmId)}/console.vv`}
          aria-label={t("console.viewer_file")}
          title={t("console.viewer_file")}
        >
          <Icon name="download" />
        </a>
      )}
      <button
        type="button"
        class="button square"
        onClick={props.onFull}
        aria-label={t(props.full ? "console.full_leave" : "console.full")}
        title={t(props.full ? "console.full_leave" : "console.full")}
      >
        <Icon name="maximize" />
      </button>
    </div>
  );
}
