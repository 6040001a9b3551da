// Unpack the browser that npm has brought into build/: the program, the libraries that a bare system lacks, a font.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";

const packed = (name) => brotliDecompressSync(readFileSync(`node_modules/@sparticuz/chromium/bin/${name}.br`));

rmSync("build", { recursive: true, force: true });
mkdirSync("build");
for (const name of ["al2023.tar", "fonts.tar"]) {
  const done = spawnSync("tar", ["-x", "-C", "build"], { input: packed(name), stdio: ["pipe", "inherit", "inherit"] });
  if (done.status !== 0) throw new Error(`tar could not unpack ${name}`);
}
writeFileSync("build/chromium", packed("chromium"));
chmodSync("build/chromium", 0o755);
const here = `${process.cwd()}/build`.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const folders = `<dir>${here}/fonts</dir><dir>/usr/share/fonts</dir><cachedir>${here}/cache</cachedir>`;
writeFileSync("build/fonts.conf", `<?xml version="1.0"?><fontconfig>${folders}</fontconfig>\n`);
writeFileSync("build/ready", "");
