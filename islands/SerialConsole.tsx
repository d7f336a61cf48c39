import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { KeyRow } from "../components/console/KeyRow.tsx";
import { SerialNotice } from "../components/console/SerialNotice.tsx";
import { SerialTools } from "../components/console/SerialTools.tsx";
import { SerialLink, type SerialState } from "../lib/client/serial_link.ts";
import type { PageTerminal } from "../lib/client/terminal.ts";
import { useLiveVm } from "../lib/client/use_live_vm.ts";
import { withModifiers } from "../lib/console/terminal_keys.ts";
import type { VM } from "../lib/contract/mod.ts";
import type { Modifier } from "../lib/formats/rfb/keys.ts";
import { serial } from "../lib/i18n/en/serial.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { isLive } from "../lib/vm/state.ts";
import type { SerialLine } from "../lib/formats/xml/serial.ts";

const { t } = textsOf(serial);
/** Modifier keys that a terminal can send as held; Win is not among them. */
const HOLDABLE = ["control", "alt", "shift"] as const satisfies readonly Modifier[];

/** Keeps the terminal in the theme's colours, whoever changes the theme. */
function followTheme(recolour: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const page = new MutationObserver(recolour);
  page.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  system.addEventListener("change", recolour);
  return () => {
    page.disconnect();
    system.removeEventListener("change", recolour);
  };
}

/** Props of {@link SerialConsole}. */
interface SerialConsoleProps {
  vm: Signal<VM>;
  line: SerialLine;
  /** Number of the serial line, from 0, if there are several. */
  number: number | undefined;
}

/** A VM's serial console: a terminal on its serial line. */
export default function SerialConsole({ vm, line, number }: SerialConsoleProps) {
  const box = useRef<HTMLDivElement>(null);
  const tools = useRef<HTMLDivElement>(null);
  const terminal = useRef<PageTerminal | null>(null);
  const link = useRef<SerialLink | null>(null);
  const state = useSignal<SerialState>({ at: isLive(vm.value) ? "connecting" : "off" });
  const isTyping = useSignal(false);
  const held = useSignal<ReadonlySet<Modifier>>(new Set());
  const isGone = useLiveVm(vm).value;
  const isPowered = !isGone && isLive(vm.value);

  useEffect(() => {
    if (line !== "ready") return;
    let undo: (() => void)[] = [];
    let isLeft = false;
    (async () => {
      const { openTerminal } = await import("../lib/client/terminal.ts");
      if (isLeft || box.current === null) return;
      const connection = link.current = new SerialLink({
        vmId: vm.peek().id,
        ...(number !== undefined && { line: number }),
        onState: (now) => {
          const wasOpen = state.peek().at === "open";
          state.value = now;
          if (wasOpen && now.at !== "open") terminal.current?.note(t("serial.lost"));
          if (now.at === "open") terminal.current?.focus();
        },
        onBytes: (bytes) => terminal.current?.write(bytes),
      });
      const opened = terminal.current = openTerminal(box.current, {
        label: t("serial.terminal"),
        onData: (bytes) => connection.send(bytes),
        typed: (text) => {
          const sent = withModifiers(text, held.peek());
          if (held.peek().size > 0) held.value = new Set();
          return sent;
        },
        onFocused: (focused) => isTyping.value = focused,
        onResize: ({ cols, rows }) => connection.send(JSON.stringify({ type: "resize", cols, rows })),
        onLeave: () => tools.current?.querySelector("button")?.focus(),
      });
      undo = [() => connection.close(), followTheme(() => opened.recolour()), () => opened.destroy()];
      connection.power(isLive(vm.peek()));
    })();
    return () => {
      isLeft = true;
      for (const each of undo) each();
    };
  }, []);
  useEffect(() => link.current?.power(isPowered), [isPowered]);

  const isOpen = state.value.at === "open";
  return (
    <section class="panel serial" data-state={line === "ready" ? state.value.at : line}>
      <SerialTools
        tools={tools}
        terminal={terminal}
        isOpen={isOpen}
        onSend={(text) => link.current?.send(new TextEncoder().encode(text))}
      />
      <SerialNotice
        line={line}
        state={state.value}
        isSuspended={vm.value.state === "suspended"}
        onConnect={(force) => link.current?.connect(force)}
      />
      <noscript>
        <p class="serial-notice">{t("serial.no_script", { name: vm.value.name })}</p>
      </noscript>
      {line === "ready" && <div ref={box} class="serial-screen needs-script" />}
      {line === "ready" && (
        <KeyRow
          enabled={isOpen}
          modifiers={HOLDABLE}
          held={held}
          typing={isTyping.value}
          onKeyboard={(show) => show ? terminal.current?.focus() : terminal.current?.blur()}
          onKey={(key) => {
            terminal.current?.press(key, held.value);
            held.value = new Set();
          }}
        />
      )}
    </section>
  );
}
