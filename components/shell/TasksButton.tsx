import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { api } from "../../lib/client/api.ts";
import { pageJobs } from "../../lib/client/jobs.ts";
import { reportFailure } from "../../lib/client/toasts.ts";
import type { Job } from "../../lib/contract/mod.ts";
import { plural, t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import type { TasksDrawerProps } from "./TasksDrawer.tsx";

/** Opens the drawer of long work, and says how much of it is under way. Without script it leads to the page. */
export function TasksButton({ open: rendered }: { open: readonly Job[] }) {
  const isOpen = useSignal(false);
  const isLive = useSignal(false);
  const loaded = useSignal<{ Drawer: FunctionComponent<TasksDrawerProps> } | null>(null);
  useEffect(() => {
    pageJobs.seed(rendered);
    isLive.value = true;
  }, []);
  const load = () => {
    if (loaded.peek() !== null) return;
    import("./TasksDrawer.tsx")
      .then(({ TasksDrawer: Drawer }) => loaded.value = { Drawer })
      .catch((error) => reportFailure(undefined, error));
  };
  const onClick = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    load();
    isOpen.value = true;
    api.listJobs().then((list) => pageJobs.seed(list), (error) => reportFailure(undefined, error));
  };
  const count = isLive.value ? pageJobs.open.value : rendered.length;
  const { Drawer } = loaded.value ?? {};
  return (
    <>
      <a
        class="icon-button tasks-button"
        href="/tasks"
        aria-label={count === 0 ? t("tasks.open") : plural("tasks.running", count)}
        title={t("tasks.open")}
        onPointerEnter={load}
        onFocus={load}
        onClick={onClick}
      >
        <Icon name="tasks" />
        {count > 0 && <span class="tasks-count" aria-hidden="true">{count > 99 ? "99+" : count}</span>}
      </a>
      {Drawer && isOpen.value && <Drawer onClose={() => isOpen.value = false} />}
    </>
  );
}
