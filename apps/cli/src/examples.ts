import type { Command } from "commander";

/** Examples for the help of commands that bring none of their own, by the command's path. A test parses every one. */
const examples: Readonly<Record<string, readonly string[]>> = {
  opus: [
    "longwave opus encode song.wav song.opus --bitrate 96",
    "longwave opus decode song.opus song.wav",
    "longwave opus info song.opus --json",
    "longwave opus compare song.wav decoded.wav",
  ],
  id: [
    "longwave id enroll ~/Music --catalog ./catalog",
    "longwave id match clip.wav --catalog ./catalog",
    "arecord -f dat | longwave id listen - --catalog ./catalog",
    "longwave id dedup --catalog ./catalog",
  ],
  link: [
    "longwave link receive --bind rist://@0.0.0.0:7000 --output received.ts",
    "longwave link send --source input.ts --dest rist://198.51.100.7:7000,rist://203.0.113.7:7000",
  ],
  say: [
    'longwave say "Good evening." -o evening.wav',
    "fortune | longwave say --text - --format opus -o fortune.opus",
  ],
  voice: [
    "longwave voice list --model ./model",
    "longwave voice export --audio me.wav --out me.safetensors --model ./model",
  ],
  model: ["longwave model list", "longwave model verify ./model"],
  tts: ["longwave tts bench --model ./model"],
  doctor: ["longwave doctor", "longwave doctor --catalog ./catalog --json"],
  config: [
    "longwave config show --origin",
    "longwave config check --config station.toml",
    "longwave config migrate",
  ],
  bench: ["longwave bench", "longwave bench opus fingerprint --seconds 60 --json"],
  "opus encode": [
    "longwave opus encode song.wav song.opus --bitrate 96",
    "arecord -f dat | longwave opus encode - - > live.opus",
  ],
  "opus decode": ["longwave opus decode song.opus song.wav"],
  "opus info": ["longwave opus info song.opus --json"],
  "opus compare": ["longwave opus compare song.wav decoded.wav"],
  "archive import": ["longwave archive import ./archive evening.opus"],
  "archive analyze": ["longwave archive analyze night.wav"],
  "archive append": ["longwave archive append ./archive evening later.opus"],
  "archive ls": ["longwave archive ls ./archive"],
  "archive info": ["longwave archive info ./archive evening"],
  "archive extract": ["longwave archive extract ./archive evening --from 1:30 --to 1:40 -o clip.wav"],
  "archive verify": ["longwave archive verify ./archive --level decode"],
  "archive repair": ["longwave archive repair ./archive"],
  "archive export": ["longwave archive export ./archive evening -o evening.opus"],
  "archive check-proof": ["longwave archive check-proof ./archive minute.json minute.wav --key logger.pub"],
  "archive rm": [
    "longwave archive rm ./archive evening",
    "longwave archive rm ./archive --older-than 42d --yes",
  ],
  "id enroll": ["longwave id enroll ~/Music --catalog ./catalog"],
  "id match": ["longwave id match clip.wav --catalog ./catalog --json"],
  "id listen": ["arecord -f dat | longwave id listen - --catalog ./catalog"],
  "id monitor": ["longwave id monitor evening.opus --catalog ./catalog --csv"],
  "id dedup": ["longwave id dedup --catalog ./catalog", "longwave id dedup ~/Music"],
  "id align": ["longwave id align camera.wav recorder.wav"],
  "id inspect": ["longwave id inspect ./catalog", "longwave id inspect song.wav --profile wang-v1"],
  "id calibrate": ["longwave id calibrate ~/other-music --catalog ./catalog"],
  "id compact": ["longwave id compact --catalog ./catalog"],
  "id verify": ["longwave id verify --catalog ./catalog"],
  "id bench": ["longwave id bench --songs 16 --seed 1"],
  "id serve": ["longwave id serve --catalog ./catalog --nats nats://broker:4222 --shard 1/3"],
  "id worker": ["longwave id worker --catalog ./catalog --nats nats://broker:4222 --jobs 4"],
  "id remove": ["longwave id remove song-07 --catalog ./catalog"],
  "jobs add": ["longwave jobs add import ~/recordings --queue postgres://radio@db/radio"],
  "jobs work": [
    "longwave jobs work --jobs 4 --until-empty --archive s3://radio/archive --queue nats://broker:4222",
  ],
  "jobs ls": ["longwave jobs ls --state failed"],
  "jobs show": ["longwave jobs show import-008e3a8180f159e6bd999d3f"],
  "jobs retry": ["longwave jobs retry --failed"],
  "jobs cancel": ["longwave jobs cancel import-008e3a8180f159e6bd999d3f"],
  "jobs clear": ["longwave jobs clear", "longwave jobs clear --failed --json"],
  "watermark embed": ['longwave watermark embed song.wav marked.wav --key "our secret" --payload 0000002a'],
  "watermark detect": ["longwave watermark detect recording.mp3 --key-file key.txt --json"],
  "link send": [
    "longwave link send --source input.ts --dest rist://198.51.100.7:7000,rist://203.0.113.7:7000",
  ],
  "link receive": ["longwave link receive --bind rist://@0.0.0.0:7000 --output received.ts"],
  "link relay": ["longwave link relay --bind rist://@0.0.0.0:7000 --dest rist://203.0.113.7:7000"],
  "link simulate": ["longwave link simulate --seed 7"],
  "link report": ["longwave link report statistics.jsonl --max-loss 0.001"],
  "link proxy": [
    "longwave link proxy --listen 7100 --target 127.0.0.1:7000 --delay 60 --loss 0.08 --burst 4",
  ],
  "voice list": ["longwave voice list --model ./model"],
  "voice add": ["longwave voice add me me.safetensors --license CC-BY-4.0 --model ./model"],
  "voice export": ["longwave voice export --audio me.wav --out me.safetensors --model ./model"],
  "model list": ["longwave model list"],
  "model download": ["longwave model download --out-dir ./models"],
  "model export": ["longwave model export --models-dir ./model --int8"],
  "model verify": ["longwave model verify ./model"],
  "tts bench": ["longwave tts bench --model ./model"],
  "config check": ["longwave config check --config station.toml"],
  "config migrate": ["longwave config migrate longwave.toml"],
};

/** Adds the examples to the help of the program's commands and of their verbs. */
export function addExamples(program: Command): void {
  for (const command of program.commands) {
    add(command, examples[command.name()]);
    for (const verb of command.commands) add(verb, examples[`${command.name()} ${verb.name()}`]);
  }
}

function add(command: Command, lines: readonly string[] | undefined): void {
  if (lines === undefined) return;
  const title = lines.length === 1 ? "Example" : "Examples";
  command.addHelpText("after", `\n${title}:\n${lines.map((line) => `  ${line}`).join("\n")}`);
}
