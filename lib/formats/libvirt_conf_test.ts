import assert from "node:assert/strict";
import { changeConf, ConfError, readConf, settingOf } from "./libvirt_conf.ts";

const FILE = `# Master configuration file
# lock_manager decides who may start what
#
#lock_manager = "lockd"

user = "root"   # who
cgroup_device_acl = [
    "/dev/null", # the sink
    '/dev/full',
]
max_files = 32768
text = """a "quoted"
# no comment
end"""
`;

Deno.test("readConf() reads numbers, texts and lists, and passes comments", () => {
  assert.deepEqual(readConf(FILE).map(({ name, value, line }) => [name, value, line]), [
    ["user", "root", 6],
    ["cgroup_device_acl", ["/dev/null", "/dev/full"], 7],
    ["max_files", 32768, 11],
    ["text", 'a "quoted"\n# no comment\nend', 12],
  ]);
  assert.deepEqual(readConf(""), []);
  assert.deepEqual(readConf("a=1"), [{ name: "a", value: 1, from: 0, to: 3, valueFrom: 2, line: 1 }]);
});

Deno.test("readConf() names the line of what libvirt would not read", () => {
  const line = (text: string) => {
    try {
      readConf(text);
    } catch (error) {
      if (error instanceof ConfError) return error.line;
      throw error;
    }
    return 0;
  };
  assert.deepEqual(
    ['a = "b', 'a = "b\n"', "\na", "a = b", "a = [1", "a = [1 2]", "= 1", "a = 1 b = 2", "\n\n[x]", "a ="]
      .map(line),
    [1, 1, 2, 1, 1, 1, 1, 1, 3, 1],
  );
});

Deno.test("changeConf() uncomments, replaces and comments again, and leaves the rest as it was", () => {
  const on = changeConf(FILE, "lock_manager", "lockd");
  assert.equal(on, FILE.replace('#lock_manager = "lockd"', 'lock_manager = "lockd"'));
  assert.equal(changeConf(on, "lock_manager", null), FILE);
  assert.equal(changeConf(on, "lock_manager", "sanlock"), on.replace('"lockd"', '"sanlock"'));
  assert.equal(changeConf(FILE, "lock_manager", null), FILE);
});

Deno.test("changeConf() appends what has no commented line, also to a file without a last line end", () => {
  assert.equal(changeConf("a = 1", "b", "/x y"), 'a = 1\nb = "/x y"\n');
  assert.equal(changeConf("", "b", 0), "b = 0\n");
  assert.equal(changeConf("  a = 1 # one\n", "a", null), "#  a = 1 # one\n");
  assert.equal(changeConf("a = [ 1,\n 2 ]\nb = 1\n", "a", null), "#a = [ 1,\n# 2 ]\nb = 1\n");
});

Deno.test("changeConf() refuses what it cannot write, and what is set twice", () => {
  assert.throws(() => changeConf("", "a", 'x"\nuser = "root'), RangeError);
  assert.throws(() => changeConf("", "a", "x\ny"), RangeError);
  assert.throws(() => changeConf("a = 1\na = 2\n", "a", 3), { message: "line 2: a is set a second time" });
  assert.throws(() => settingOf(readConf("a = 1\nb = 1\na = 2"), "a"), ConfError);
  assert.throws(() => changeConf("a = 1 b", "a", 3), ConfError);
});
