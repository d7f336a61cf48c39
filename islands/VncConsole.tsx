import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ConsoleClipboard } from "../components/console/ConsoleClipboard.tsx";
import { ConsoleNotice } from "../components/console/ConsoleNotice.tsx";
import { ConsoleTools } from "../components/console/ConsoleTools.tsx";
import { KeyRow } from "../components/console/KeyRow.tsx";
import { SoftKeyboard } from "../components/console/SoftKeyboard.tsx";
import { live } from "../lib/client/live.ts";
import { keyboardEscape } from "../lib/client/keyboard_escape.ts";
import { chosenKeyboard } from "../lib/client/keyboard_layout.ts";
import { report, reportFailure } from "../lib/client/toasts.ts";
import { type Scaling, VncSession } from "../lib/client/vnc_session.ts";
import type { VM } from "../lib/contract/mod.ts";
import { hasScreenNow } from "../lib/console/closings.ts";
import { type Modifier, MODIFIERS, NAMED_KEYS, type RfbKey, typingOf } from "../lib/formats/rfb/keys.ts";
import { oneLine } from "../lib/text/text.ts";
import { console as consoleTexts } from "../lib/i18n/en/console.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(consoleTexts);
const HOLDABLE = Object.keys(MODIFIERS) as Modifier[];

/** Keys that are pressed for the guest, together with the modifiers that are held until then. */
function useKeys(session: VncSession) {
  const held = useSignal<ReadonlySet<Modifier>>(new Set());
  const pressHeld = (keys: readonly RfbKey[]) => {
    session.press([
      ...HOLDABLE.filter((each) => held.peek().has(each)).map((each) => MODIFIERS[each]),
      ...keys,
    ]);
    held.value = new Set();
  };
  const type = (characters: string) => {
    const keyboard = chosenKeyboard();
    const untypable = Array.from(characters).flatMap((character) => {
      const { strokes, untypable } = character === "\b"
        ? { strokes: [[NAMED_KEYS.Backspace]], untypable: [] }
        : typingOf(character, keyboard);
      for (const keys of strokes) pressHeld(keys);
      return untypable;
    });
    if (untypable.length > 0) {
      report(t("console.paste_cannot", { characters: oneLine(untypable.join(" "), 80) }), undefined, "warn");
    }
  };
  return { held, pressHeld, type };
}

/** A VM's screen. Connects when there is one, says why when there is not. */
export default function VncConsole({ vm: signal, connected }: { vm: Signal<VM>; connected: boolean }) {
  const frame = useRef<HTMLElement>(null);
  const screen = useRef<HTMLDivElement>(null);
  const softKeyboard = useRef<HTMLTextAreaElement>(null);
  const vm = signal.value;
  const session = useMemo(() => new VncSession(vm.id, () => screen.current), [vm.id]);
  const isWanted = useComputed(() => hasScreenNow(signal.value));
  const scaling = useSignal<Scaling>("fit");
  const viewOnly = useSignal(false);
  const isPasting = useSignal(false);
  const isInside = useSignal(false);
  const isFull = useSignal(false);
  const isTyping = useSignal(false);
  const isPanning = useSignal(false);
  const { held, pressHeld, type } = useKeys(session);
  const enabled = live.controls(connected);
  const phase = session.phase.value;

  useEffect(() => {
    const stopWatching = isWanted.subscribe((wanted) => wanted ? session.start() : session.stop());
    const onFull = () => isFull.value = document.fullscreenElement === frame.current;
    document.addEventListener("fullscreenchange", onFull);
    return () => {
      stopWatching();
      session.stop();
      document.removeEventListener("fullscreenchange", onFull);
    };
  }, [session]);
  useEffect(() => {
    if (screen.current === null) return;
    return keyboardEscape(screen.current, () => {
      session.blur();
      screen.current?.focus();
    });
  }, [session]);

  const toggleFull = () => {
    const change = isFull.value ? document.exitFullscreen() : frame.current?.requestFullscreen();
    change?.catch((error) => reportFailure(undefined, error));
  };
  const isConnected = phase.is === "connected";
  return (
    <section ref={frame} class="console" aria-label={t("console.screen", { name: oneLine(vm.name, 60) })}>
      <ConsoleTools
        vmId={vm.id}
        connected={isConnected}
        viewable={isWanted.value}
        viewOnly={viewOnly.value}
        scaling={scaling.value}
        panning={scaling.value === "actual" ? isPanning.value : null}
        full={isFull.value}
        onPress={(keys) => {
          session.press(keys);
          session.focus();
        }}
        onClipboard={() =>
          isPasting.value = true}
        onViewOnly={(only) =>
          session.viewOnly = viewOnly.value = only}
        onScaling={(chosen) => {
          // A finger that drags has no scroll bars
          const pans = chosen === "actual" && matchMedia("(pointer: coarse)").matches;
          session.panning = isPanning.value = pans;
          session.scaling = scaling.value = chosen;
        }}
        onPanning={(pans) =>
          session.panning = isPanning.value = pans}
        onFull={toggleFull}
      />
      <div class="console-stage" data-connected={isConnected ? "" : undefined}>
        <div
          ref={screen}
          class="console-screen"
          data-scaling={scaling.value}
          role="application"
          tabIndex={0}
          aria-label={`${t("console.screen", { name: oneLine(vm.name, 60) })}. ${t("console.screen_how")}`}
          onKeyDown={(event) => {
            if (event.target !== event.currentTarget || event.key !== "Enter") return;
            event.preventDefault();
            session.focus();
          }}
          onFocusIn={(event) => isInside.value = event.target !== event.currentTarget}
          onFocusOut={() => isInside.value = false}
        />
        <SoftKeyboard
          field={softKeyboard}
          onText={type}
          onKey={(key) => pressHeld([NAMED_KEYS[key]])}
          onFocused={(focused) => session.takesFocus = !(isTyping.value = focused)}
        />
        <ConsoleNotice vm={vm} phase={phase} enabled={enabled} onAgain={() => session.start()} />
      </div>
      <KeyRow
        enabled={isConnected && !viewOnly.value}
        modifiers={HOLDABLE}
        held={held}
        typing={isTyping.value}
        onKeyboard={(show) => show ? softKeyboard.current?.focus() : softKeyboard.current?.blur()}
        onKey={(key) => pressHeld([NAMED_KEYS[key]])}
      />
      <p class="console-foot">
        <span role="status">{isConnected && t("console.connected")}</span>
        {isConnected && (
          <span>
            {t(viewOnly.value ? "console.looking" : isInside.value ? "console.inside" : "console.outside")}
          </span>
        )}
        {isConnected && !viewOnly.value && <span class="for-touch">{t("console.touch")}</span>}
      </p>
      <ConsoleClipboard open={isPasting.value} session={session} onClose={() => isPasting.value = false} />
    </section>
  );
}
