import { leave } from "../lib/client/toasts.ts";
import { useSignal } from "@preact/signals";
import { useMemo, useRef } from "preact/hooks";
import { AdvancedFields } from "../components/vm/create/AdvancedFields.tsx";
import { BasicFields } from "../components/vm/create/BasicFields.tsx";
import { CloudInitFields } from "../components/vm/create/CloudInitFields.tsx";
import { DiskFields } from "../components/vm/create/DiskFields.tsx";
import { NewNicFields } from "../components/vm/create/NewNicFields.tsx";
import { type CreateProps, imagePools } from "../components/vm/create/props.ts";
import { SourceFields } from "../components/vm/create/SourceFields.tsx";
import { Summary } from "../components/vm/create/Summary.tsx";
import { CreateModel, type CreateStart } from "../lib/client/create_model.ts";
import { imageRef, ImageWays } from "../lib/client/image_way.ts";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { useKeptDraft } from "../lib/client/use_kept_draft.ts";
import { networkChanges, poolChanges, useQuery } from "../lib/client/use_query.ts";

/** Props of {@link CreateVm}. */
export interface CreateVmProps
  extends CreateStart, Pick<CreateProps, "options" | "images" | "projects" | "bounds" | "allowed"> {
  connected: boolean;
}

/** Brings the first field that is wrong before a person's eyes. */
function showWrong(form: HTMLFormElement | null): void {
  const field = form?.querySelector<HTMLElement>('[aria-invalid="true"]');
  const folded = field?.closest("details");
  if (folded) folded.open = true;
  field?.focus();
}

/**
 * How often, and after how many milliseconds, the list of images is looked at for one that has just come: another reading
 * of the list may have begun after ours, and has the answer a moment later.
 */
const LOOKS = 20, LOOK_MS = 500;

/** The form for a new VM, with what it comes to next to it. Posts its plain fields without script. */
export default function CreateVm(
  { options: knownOptions, bounds, allowed, images: first, projects, connected, ...start }: CreateVmProps,
) {
  const model = useMemo(() => new CreateModel(start, knownOptions), []);
  useKeptDraft(model);
  const form = useRef<HTMLFormElement>(null);
  const enabled = live.controls(connected);
  const vmDisks = useSignal(false);
  const { value: images, reread } = useQuery<typeof first>({
    first,
    read: async () => (await api.listImages({ vmDisks: vmDisks.peek() })).images,
    follow: poolChanges(),
  });
  // A pool that was started or created meanwhile can be chosen at once.
  const { value: options } = useQuery<typeof knownOptions>({
    first: knownOptions,
    read: async () => {
      const found = await api.getCreateOptions(), pools = imagePools(found);
      model.plugIn(found.network);
      // Volumes come and go in pools, too: those of the VM that is being created, for one.
      if (pools.join("\n") === imagePools(options.peek()).join("\n")) return found;
      arrival.havePool(pools[0] ?? "");
      model.checkSoon();
      return found;
    },
    follow: (changed) => {
      const ends = [poolChanges()(changed), networkChanges(changed)];
      return () => ends.forEach((end) => end());
    },
  });
  const arrival = useMemo(() =>
    new ImageWays(imagePools(knownOptions)[0] ?? "", async (ref) => {
      for (let look = 0; look < LOOKS; look++) {
        await reread();
        const image = images.peek().find((each) => imageRef(each) === ref);
        if (image !== undefined) {
          model.chooseImage(image);
          return true;
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
      return false;
    }), []);
  const showVmDisks = (shown: boolean) => {
    vmDisks.value = shown;
    void reread();
  };
  const parts = {
    model,
    options: options.value,
    images: images.value,
    projects,
    bounds,
    allowed,
    arrival,
    vmDisks: { shown: vmDisks.value, show: showVmDisks },
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const id = await model.submit();
    if (id === null) return showWrong(form.current);
    const wish = model.wish.peek();
    const hasScreen = wish.start && model.isStarted && (wish.graphics ?? "vnc") === "vnc";
    leave(`/vms/${encodeURIComponent(id)}${hasScreen ? "/console" : ""}`, {
      word: "create_vm",
      name: wish.name,
      warnings: model.warned,
    });
  };
  return (
    <form ref={form} class="create" method="post" action="/vms/new" noValidate onSubmit={submit}>
      <div class="create-form">
        <SourceFields {...parts} />
        <BasicFields {...parts} systems={start.systems} />
        <CloudInitFields {...parts} />
        <DiskFields {...parts} />
        <NewNicFields {...parts} />
        <AdvancedFields {...parts} />
      </div>
      <Summary {...parts} connected={enabled} />
    </form>
  );
}
