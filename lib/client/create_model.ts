/** The form for a new VM: what was chosen, what the server says of it, and what it comes to. */
import { batch, computed, signal } from "@preact/signals";
import type {
  ConfigCheck,
  ConfigFinding,
  Image,
  NewDisk,
  NewNic,
  OperatingSystem,
  VmConfig,
} from "../contract/mod.ts";
import { create as texts } from "../i18n/en/create.ts";
import { textsOf } from "../i18n/mod.ts";
import { answerWarnings } from "../text/notice.ts";
import { fieldSentence } from "../text/field_sentence.ts";
import { type Failure, failureOf } from "../text/failure.ts";
import { firstCloudInit } from "../vm/cloud_init/first.ts";
import { freeVmName, guessSystem } from "../vm/create/guesses.ts";
import { offeredDiskGb, type RoomOptions } from "../vm/create/offered_disk.ts";
import { api } from "./api.ts";

const { t } = textsOf(texts);

/** GiB of the disk that is offered while no operating system is chosen. */
export const DISK_GB = 20;

/** The chosen fields; the server chooses the ones left out. */
export type VmDraft = Partial<VmConfig>;

/** Sources that a VM can be first started from. */
export const SOURCES = ["cloud", "iso", "image", "network", "none"] as const;
export type InstallSource = typeof SOURCES[number];

/** Whether the first disk is an image that was there before. */
export const isImageSource = (source: InstallSource): boolean => source === "cloud" || source === "image";

/** Initial state of the form. */
export interface CreateStart {
  readonly wish: VmDraft;
  readonly check: ConfigCheck | null;
  /** Source until the user chooses one: an ISO if there is one. */
  readonly first: InstallSource;
  readonly withoutIso: boolean;
  readonly systems: readonly OperatingSystem[];
  /** Names that VMs have. */
  readonly taken: readonly string[];
  /** SSH public keys of the person: the user of a cloud image begins with them. */
  readonly sshKeys: readonly string[];
}

/** Milliseconds of rest after a change before the server is asked. */
const REST_MS = 250;

/** Fields that follow the operating system until somebody chooses otherwise. */
type Followed = "name" | "system" | "disk" | "cloudInit";

/** The source that a draft is first started from. */
function sourceOf({ disks, bootOrder, isoPath, cloudInit }: VmDraft, first: InstallSource): InstallSource {
  if (disks?.[0]?.path !== undefined) {
    if (cloudInit !== undefined) return "cloud";
    return isImageSource(first) ? first : "image";
  }
  if (isoPath !== undefined) return "iso";
  return bootOrder?.[0] === "network" ? "network" : first;
}

/** How the form's image is used, where one was chosen. */
const withCopy = ({ copyAs }: NewDisk) => copyAs === undefined ? {} : { copyAs };

/** A choice to make first. The message comes from here, because the server does not know which card is open. */
export type Missing = "iso" | "image";

/** Return value of {@link CreateModel.draft}. */
export interface Draft {
  readonly wish: VmDraft;
  readonly source: InstallSource;
  readonly withoutIso: boolean;
  readonly chosen: readonly Followed[];
  /** Places of the users of cloud-init whose password must be typed again: none is kept. */
  readonly again: readonly number[];
}

export class CreateModel {
  readonly wish = signal<VmDraft>({});
  /** The server's check of the draft; null before its first answer. */
  readonly check = signal<ConfigCheck | null>(null);
  readonly source = signal<InstallSource>("iso");
  /** Somebody wants an installation without its CD. */
  readonly withoutIso = signal(false);
  readonly submitting = signal(false);
  /** Places of the users of cloud-init whose password was not kept. */
  readonly again = signal<readonly number[]>([]);
  /** How often what was filled in before was taken up: fields that keep their own text are made again then. */
  readonly restored = signal(0);
  /** Why it could not be created. */
  readonly failure = signal<Failure | null>(null);
  readonly #systems: readonly OperatingSystem[];
  readonly #taken: ReadonlySet<string>;
  readonly #sshKeys: readonly string[];
  readonly #room: RoomOptions;
  readonly #chosen = new Set<Followed>();
  /** Fields somebody has been at: errors of the others are not shown before the first attempt. */
  readonly #touched = signal<ReadonlySet<string>>(new Set());
  readonly #attempted = signal(false);
  /** Whether the form has begun with a network. */
  #plugged: boolean;
  #isCreated = false;
  #isStarted = true;
  #warned: readonly string[] | undefined;
  /** The wish that `check` is about. */
  #checked: VmDraft | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = 0;

  constructor(start: CreateStart, room: RoomOptions) {
    this.#room = room;
    this.#systems = start.systems;
    this.#taken = new Set(start.taken);
    this.#sshKeys = start.sshKeys;
    this.wish.value = start.wish;
    this.source.value = sourceOf(start.wish, start.first);
    this.withoutIso.value = start.withoutIso;
    this.#plugged = (start.wish.nics ?? []).length > 0;
    this.#take(start.check, start.wish);
  }

  /** The last configuration that could be resolved: an error does not empty the fields around it. */
  readonly resolved = signal<ConfigCheck["resolved"]>(null);
  /** The chosen operating system. */
  readonly system = computed(() => this.#systems.find(({ id }) => id === this.wish.value.osVariant));
  /** The disks of the form: always a list. */
  readonly disks = computed<readonly NewDisk[]>(() => this.wish.value.disks ?? []);
  readonly nics = computed<readonly NewNic[]>(() => this.wish.value.nics ?? []);

  /** Changes fields; `undefined` gives a field back to the server. */
  set(change: { readonly [K in keyof VmConfig]?: VmConfig[K] | undefined }): void {
    const wish: Record<string, unknown> = { ...this.wish.peek(), ...change };
    for (const [field, value] of Object.entries(change)) if (value === undefined) delete wish[field];
    batch(() => {
      this.wish.value = wish;
      this.#touched.value = new Set([...this.#touched.peek(), ...Object.keys(change)]);
      this.failure.value = null;
    });
    this.checkSoon();
  }

  /** The filled-in fields, to continue with later; null when there are none, or the VM was created. */
  draft(): Draft | null {
    if (this.#isCreated || this.#touched.peek().size === 0) return null;
    return {
      wish: this.wish.peek(),
      source: this.source.peek(),
      withoutIso: this.withoutIso.peek(),
      chosen: [...this.#chosen],
      again: (this.wish.peek().cloudInit?.form?.users ?? []).flatMap(({ password }, place) =>
        password === undefined && !this.again.peek().includes(place) ? [] : [place]
      ),
    };
  }

  /** Takes up what was filled in before. */
  restore({ wish, source, withoutIso, chosen, again }: Draft): void {
    const fields = [...this.#touched.peek(), ...Object.keys(wish)], places = [...again];
    for (const field of [...chosen]) this.#chosen.add(field);
    batch(() => {
      this.source.value = source;
      this.withoutIso.value = withoutIso;
      this.wish.value = wish; // not what the page began with: some of it may have been cleared
      this.again.value = places;
      this.restored.value++;
      this.#touched.value = new Set(fields);
    });
    this.checkSoon();
  }

  /** Names the VM. */
  name(name: string): void {
    this.#chosen.add("name");
    this.set({ name });
  }

  /** Chooses an operating system, and what suits it where nothing else was chosen. */
  chooseSystem(osVariant: string | undefined, guessed = false): void {
    if (!guessed) this.#chosen.add("system");
    const system = this.#systems.find(({ id }) => id === osVariant);
    const [first, ...others] = this.disks.peek();
    this.set({
      osVariant,
      osType: system?.osType,
      ...(!this.#chosen.has("name") && { name: freeVmName(osVariant ?? "vm", this.#taken) }),
      ...(system && first?.sizeGb !== undefined && !this.#chosen.has("disk") && {
        disks: [{ ...first, sizeGb: offeredDiskGb(system.defaults.diskSizeGb, this.#room) }, ...others],
      }),
    });
    this.#offerCloudInit();
  }

  /** Chooses the CD to install from. */
  chooseIso(isoPath: string | undefined): void {
    this.set({ isoPath });
    this.#guess(isoPath);
  }

  /** Chooses what it is started from, and clears what belongs to the other ways. */
  chooseSource(source: InstallSource): void {
    const [first, ...others] = this.disks.peek();
    const sizeGb = offeredDiskGb(this.system.peek()?.defaults.diskSizeGb ?? DISK_GB, this.#room);
    const main: NewDisk = isImageSource(source)
      // A copy, unless somebody wants the VM to write into the image.
      ? { path: first?.path ?? "", ...(first?.path === undefined ? { copyAs: "qcow2" } : withCopy(first)) }
      : first === undefined || first.path !== undefined
      ? { sizeGb }
      : first;
    this.source.value = source;
    this.set({
      isoPath: source === "iso" ? this.wish.peek().isoPath : undefined,
      disks: [main, ...others],
      bootOrder: source === "network" ? ["network", "disk"] : undefined,
    });
    this.#touched.value = new Set([...this.#touched.peek()].filter((field) => field !== "disks"));
    this.#offerCloudInit();
  }

  /** Says what cloud-init sets up; undefined: nothing. */
  setCloudInit(cloudInit: VmConfig["cloudInit"] | undefined): void {
    this.#chosen.add("cloudInit");
    this.set({ cloudInit });
  }

  /** A cloud image gets its usual user until somebody says something else; other ways to begin need none. */
  #offerCloudInit(): void {
    const { cloudInit: now, osVariant } = this.wish.peek();
    if (this.#chosen.has("cloudInit")) return;
    const cloudInit = this.source.peek() === "cloud" ? firstCloudInit(osVariant, this.#sshKeys) : undefined;
    if (JSON.stringify(cloudInit) === JSON.stringify(now)) return;
    this.set({ cloudInit });
    this.restored.value++;
  }

  /** Users of cloud-init, by name, whose password was not kept and is to be typed again. */
  readonly passwordsAgain = computed<readonly string[]>(() => {
    const users = this.wish.value.cloudInit?.form?.users ?? [];
    return this.again.value.flatMap((place) => {
      const user = users[place];
      return user === undefined || user.password !== undefined ? [] : [user.name];
    });
  });

  /** Chooses an image by what it is: an ISO goes into the drive, a disk image becomes the first disk. */
  chooseImage({ kind, path, pool, name }: Pick<Image, "kind" | "path" | "pool" | "name">): void {
    if (kind === "iso") {
      if (this.source.peek() !== "iso") this.chooseSource("iso");
      return this.chooseIso(path);
    }
    if (!isImageSource(this.source.peek())) this.chooseSource("image");
    this.chooseDiskImage(`${pool}/${name}`);
  }

  /** Makes an image the first disk. The first one that is chosen is copied; how it is used may be changed then. */
  chooseDiskImage(path: string | undefined): void {
    const [disk] = this.disks.peek();
    const image = path === undefined ? {} : { path };
    this.changeDisk(0, disk?.path === undefined ? { ...image, copyAs: "qcow2" } : { ...disk, ...image });
  }

  /** Changes one disk, or removes it. */
  changeDisk(index: number, change: NewDisk | null): void {
    if (index === 0) this.#chosen.add("disk");
    const disks = this.disks.peek().flatMap((disk, at) =>
      at !== index ? [disk] : change === null ? [] : [change]
    );
    this.set({ disks });
    if (change?.path) this.#guess(change.path);
  }

  /** There is a network, where none was: a VM that has no card for want of one gets it. */
  plugIn(network: string | null): void {
    if (network === null || this.#plugged || this.nics.peek().length > 0) return;
    this.#plugged = true;
    this.set({ nics: [{ network }] });
  }

  /** Changes one network card, or removes it. */
  changeNic(index: number, change: NewNic | null): void {
    this.set({
      nics: this.nics.peek().flatMap((nic, at) => at !== index ? [nic] : change === null ? [] : [change]),
    });
  }

  /** Error of a field, once the user has edited it or has tried to create the VM. */
  error(field: string): string | undefined {
    const found = this.errors.value.find((error) => error.field === field);
    return found && fieldSentence(field, found.message);
  }

  /** Errors of the fields that the user has edited; of all fields after an attempt to create the VM. */
  readonly errors = computed<readonly ConfigFinding[]>(() =>
    (this.check.value?.errors ?? []).filter(({ field }) =>
      this.#attempted.value || this.#touched.value.has(field.split(".")[0]!)
    )
  );

  /** The choice that the source still lacks. */
  readonly lacking = computed<Missing | undefined>(() => {
    const source = this.source.value;
    const { isoPath } = this.wish.value;
    if (source === "iso" && isoPath === undefined && !this.withoutIso.value) return "iso";
    return isImageSource(source) && !this.disks.value[0]?.path ? "image" : undefined;
  });

  /** The choice to make first, once the user has tried to create the VM. */
  readonly missing = computed(() => this.#attempted.value ? this.lacking.value : undefined);

  /** Warnings. A cloud image without cloud-init is known by the card that was chosen, whatever its name. */
  readonly warnings = computed<readonly ConfigFinding[]>(() => {
    const found = this.check.value?.warnings ?? [];
    const isBare = this.source.value === "cloud" && this.wish.value.cloudInit === undefined;
    return [
      ...found,
      ...isBare && !found.some(({ field }) => field === "cloudInit")
        ? [{ field: "cloudInit", code: "NobodySignsIn", message: t("create.no_sign_in") }]
        : [],
      // Where none of several networks is the usual one, none is chosen: that is easily overlooked
      ...this.nics.value.length === 0
        ? [{ field: "nics", code: "NoNetwork", message: t("create.no_nics") }]
        : [],
    ];
  });

  /** Warning about a field. */
  warning(field: string): string | undefined {
    return this.warnings.value.find((warning) => warning.field === field)?.message;
  }

  /** Whether the person has SSH keys that a new VM's user begins with. */
  get hasOwnKeys(): boolean {
    return this.#sshKeys.length > 0;
  }

  /** Warnings about the VM that was created. */
  get warned(): readonly string[] | undefined {
    return this.#warned;
  }

  /** Whether the VM that was created runs, where it was to be started. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** Creates the VM. @returns its id; null when it could not be: `failure` or the fields say why */
  async submit(): Promise<string | null> {
    if (this.submitting.peek()) return null;
    this.#attempted.value = true;
    this.submitting.value = true;
    this.failure.value = null;
    try {
      if (this.lacking.peek() !== undefined) return null;
      // What is known to be wrong is said at its field. Everything else the creation itself finds out.
      const isWrong = this.#checked === this.wish.peek() && (this.check.peek()?.errors.length ?? 0) > 0;
      if (isWrong) return null;
      clearTimeout(this.#timer);
      const created = await api.createVm(this.wish.peek() as VmConfig), { id, started } = created;
      this.#isCreated = true;
      this.#warned = answerWarnings(created);
      this.#isStarted = started !== false;
      return id;
    } catch (thrown) {
      const failure = failureOf(thrown);
      this.failure.value = failure;
      await this.#ask();
      const isAtField = this.check.peek()?.errors.some(({ code }) => code === failure.code);
      if (isAtField && this.failure.peek() === failure) this.failure.value = null;
      return null;
    } finally {
      this.submitting.value = false;
    }
  }

  #take(check: ConfigCheck | null, wish: VmDraft): void {
    this.#checked = wish;
    batch(() => {
      this.check.value = check;
      if (check?.resolved) this.resolved.value = check.resolved;
    });
  }

  #guess(path: string | undefined): void {
    if (path === undefined || this.#chosen.has("system")) return;
    const guessed = guessSystem(path, this.#systems);
    if (guessed !== undefined && guessed !== this.wish.peek().osVariant) this.chooseSystem(guessed, true);
  }

  /** The wish as far as it can be judged: an image that is still to be chosen is no mistake. */
  #question(): VmDraft {
    const wish = this.wish.peek();
    return { ...wish, disks: (wish.disks ?? []).filter(({ path }) => path !== "") };
  }

  /** Judges the form again: something it depends on has changed. */
  checkSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), REST_MS);
  }

  /** Asks the server; an answer that a later question has overtaken is dropped. */
  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    const question = ++this.#asked;
    const wish = this.wish.peek();
    try {
      const check = await api.checkVmConfig(this.#question());
      if (question === this.#asked) this.#take(check, wish);
    } catch (error) {
      if (question === this.#asked) this.failure.value = failureOf(error);
    }
  }
}
