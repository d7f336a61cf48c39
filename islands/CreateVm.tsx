import { based } from "../lib/client/base.ts";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { AdvancedFields } from "../components/create/AdvancedFields.tsx";
import { BasicFields } from "../components/create/BasicFields.tsx";
import { CloudInitFields } from "../components/create/CloudInitFields.tsx";
import { DiskFields } from "../components/create/DiskFields.tsx";
import { NicFields } from "../components/create/NicFields.tsx";
import type { CreateProps } from "../components/create/props.ts";
import { SourceFields } from "../components/create/SourceFields.tsx";
import { Summary } from "../components/create/Summary.tsx";
import { CreateModel, type CreateStart } from "../lib/client/create_model.ts";
import { live } from "../lib/client/live.ts";
import { replayInput } from "../lib/client/replay.ts";

/** Props of {@link CreateVm}. */
export interface CreateVmProps extends CreateStart, Pick<CreateProps, "options" | "bounds"> {
  connected: boolean;
}

/** Brings the first field that is wrong before a person's eyes. */
function showWrong(form: HTMLFormElement | null): void {
  const field = form?.querySelector<HTMLElement>('[aria-invalid="true"]');
  const folded = field?.closest("details");
  if (folded) folded.open = true;
  field?.focus();
}

/** The form for a new machine, with what it comes to beside it. Posts its plain fields without script. */
export default function CreateVm({ options, bounds, connected, ...start }: CreateVmProps) {
  const model = useMemo(() => new CreateModel(start), []);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current === null ? undefined : replayInput(form.current), []);
  const enabled = live.controls(connected);
  const parts = { model, options, bounds };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const id = await model.submit();
    if (id === null) return showWrong(form.current);
    const wish = model.wish.peek();
    const hasScreen = wish.start && (wish.graphics ?? "vnc") === "vnc";
    location.assign(based(`/vms/${encodeURIComponent(id)}${hasScreen ? "/console" : "?done=create"}`));
  };
  return (
    <form ref={form} class="create" method="post" action="/vms/new" noValidate onSubmit={submit}>
      <div class="create-form">
        <SourceFields {...parts} />
        <BasicFields {...parts} systems={start.systems} />
        <CloudInitFields {...parts} />
        <DiskFields {...parts} />
        <NicFields {...parts} />
        <AdvancedFields {...parts} />
      </div>
      <Summary model={model} connected={enabled} />
    </form>
  );
}
