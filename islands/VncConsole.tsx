import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { ConsoleClipboard } from "../components/console/ConsoleClipboard.tsx";
import { ConsoleNotice } from "../components/console/ConsoleNotice.tsx";
import { ConsoleTools } from "../components/console/ConsoleTools.tsx";
import { live } from "../lib/client/live.ts";
import { keyboardEscape } from "../lib/client/keyboard_escape.ts";
import { reportFailure } from "../lib/client/toasts.ts";
import { type Scaling, VncSession } from "../lib/client/vnc_session.ts";
import type { VM } from "../lib/contract/mod.ts";
import { hasScreenNow } from "../lib/console/closings.ts";
import { oneLine } from "../lib/text/text.ts";
import { console as consoleTexts } from "../lib/i18n/en/console.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(consoleTexts);

/** A VM's screen. Connects when there is one, says why when there is not. */
export default function VncConsole({ vm: signal, connected }: { vm: Signal<VM>; connected: boolean }) {
  const frame = useRef<HTMLElement>(null);
  const screen = useRef<HTMLDivElement>(null);
  const vm = signal.value;
  const session = useMemo(() => new VncSession(vm.id, () => screen.current), [vm.id]);
  const isWanted = useComputed(() => hasScreenNow(signal.value));
  const scaling = useSignal<Scaling>("fit");
  const viewOnly = useSignal(false);
  const isPasting = useSignal(false);
  const isInside = useSignal(false);
  const isFull = useSignal(false);
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
        full={isFull.value}
        onPress={(keys) => {
          session.press(keys);
          session.focus();
        }}
        onClipboard={() =>
          isPasting.value = true}
        onViewOnly={(only) =>
          session.viewOnly = viewOnly.value = only}
        onScaling={(chosen) =>
          session.scaling = scaling.value = chosen}
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
        <ConsoleNotice vm={vm} phase={phase} enabled={enabled} onAgain={() => session.start()} />
      </div>
      <p class="console-foot">
        <span role="status">{isConnected && t("console.connected")}</span>
        {isConnected && (
          <span>
            {t(viewOnly.value ? "console.looking" : isInside.value ? "console.inside" : "console.outside")}
          </span>
        )}
      </p>
      <ConsoleClipboard open={isPasting.value} session={session} onClose={() => isPasting.value = false} />
    </section>
  );
}
