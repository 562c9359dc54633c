// English letter-to-sound rules: "left|letters|right|phonemes", tried in order, first match wins.
//
// The rules follow H. S. Elovitz, R. Johnson, A. McHugh, J. E. Shore, "Automatic translation of English text to phonetics by means
// of letter-to-sound rules", NRL Report 7948 (1976), a work of the US Government in the public domain, with our additions.
//
// Context signs: _ word boundary, # one or more vowels, : any number of consonants, ^ one consonant, . one voiced consonant,
// % a suffix (er e es ed ing ely), + a front vowel (e i y), & a sibilant, @ a consonant after which long u has no y.
// Phonemes are ARPAbet.

const rules: Readonly<Record<string, string>> = {
  a: `
|a|_|AX
_|are|_|AA R
_|ar|o|AX R
|ar|#|EH R
^|as|#|EY S
|a|wa|AX
|aw||AO
_:|any||EH N IY
|a|^+#|EY
#:|ally||AX L IY
_|al|#|AX L
|again||AX G EH N
#:|ag|e|IH JH
|a|^+:#|AE
_:|a|^+_|EY
|a|^%|EY
_|arr||AX R
|arr||AE R
_:|ar|_|AA R
|ar|_|ER
|ar||AA R
|air||EH R
|ai||EY
|ay||EY
|au||AO
#:|al|_|AX L
#:|als|_|AX L Z
|alk||AO K
|al|^|AO L
_:|able||EY B AX L
|able||AX B AX L
|ang|+|EY N JH
|ation||EY SH AX N
|a||AE`,
  b: `
_|be|^#|B IH
|being||B IY IH NG
_|both|_|B OW TH
_|bus|#|B IH Z
|buil||B IH L
m|b|_|
|bb||B
|b||B`,
  c: `
_|ch|^|K
^e|ch||K
|ch||CH
_s|ci|#|S AY
|ci|a|SH
|ci|o|SH
|ci|en|SH
s|c|+|
|c|+|S
|ck||K
|com|%|K AH M
|cc|+|K S
|cc||K
|c||K`,
  d: `
#:|ded|_|D IH D
.e|d|_|D
#:^e|d|_|T
_|de|^#|D IH
_|do|_|D UW
_|does||D AH Z
_|doing||D UW IH NG
_|dow||D AW
|du|a|JH UW
|dd||D
|dge||JH
|d||D`,
  e: `
#:|e|_|
':^|e|_|
_:|e|_|IY
#|ed|_|D
#:|e|d_|
|ev|er|EH V
|e|^%|IY
|eri|#|IY R IY
|eri||EH R IH
#:|er|#|ER
|er|#|EH R
|er||ER
_|even||IY V EH N
#:|e|w|
@|ew||UW
|ew||Y UW
|e|o|IY
#:&|es|_|IH Z
#:|e|s_|
#:|ely|_|L IY
#:|ement||M EH N T
|eful||F UH L
|ee||IY
|earn||ER N
_|ear|^|ER
|ead||EH D
#:|ea|_|IY AX
|ea|su|EH
|ea||IY
|eigh||EY
|ei||IY
_|eye||AY
|ey||IY
|eu||Y UW
|e||EH`,
  f: `
|ful||F UH L
|ff||F
|f||F`,
  g: `
|giv||G IH V
_|g|i^|G
|ge|t|G EH
su|gges||G JH EH S
|gg||G
_b#|g||G
|g|+|JH
|great||G R EY T
#|gh||
_|gn||N
|g|n_|
|g||G`,
  h: `
_|hav||HH AE V
_|here||HH IY R
_|hour||AW ER
|how||HH AW
|h|#|HH
|h||`,
  i: `
_|in||IH N
_|i|_|AY
|in|d_|AY N
|ier||IY ER
#:r|ied||IY D
|ied|_|AY D
|ien||IY EH N
|ie|t|AY EH
_:|i|%|AY
|i|%|IY
|ie||IY
|i|^+:#|IH
|ir|#|AY R
|iz|%|AY Z
|is|%|AY Z
|i|d%|AY
+^|i|^+|IH
|i|t%|AY
#:^|i|^+|IH
|i|^+|AY
|ir||ER
|igh||AY
|ild||AY L D
|ign|_|AY N
|ign|^|AY N
|ign|%|AY N
|ique||IY K
|i||IH`,
  j: "|j||JH",
  k: `
_|k|n|
|kk||K
|k||K`,
  l: `
|lo|c#|L OW
l|l||
#:^|l|%|AX L
|lead||L IY D
|l||L`,
  m: `
|mov||M UW V
|mm||M
|m||M`,
  n: `
e|ng|+|N JH
|ng|r|NG G
|ng|#|NG G
|ngl|%|NG G AX L
|ng||NG
|nk||NG K
_|now|_|N AW
|nn||N
|n||N`,
  o: `
|of|_|AX V
|orough||ER OW
#:|or|_|ER
#:|ors|_|ER Z
|or||AO R
_|one||W AH N
|ow||OW
_|over||OW V ER
|ov||AH V
|o|x|AA
|o|^%|OW
|o|^en|OW
|o|^i#|OW
|ol|d|OW L
|ought||AO T
|ough||AH F
_|ou||AW
h|ou|s#|AW
|ous||AX S
|our||AO R
|ould||UH D
^|ou|^l|AH
|oup||UW P
|ou||AW
|oy||OY
|oing||OW IH NG
|oi||OY
|oor||AO R
|ook||UH K
|ood||UH D
|oo||UW
|o|e|OW
|o|_|OW
|oa||OW
_|only||OW N L IY
_|once||W AH N S
|on't||OW N T
c|o|n|AA
|o|ng|AO
_:^|o|n|AH
i|on||AX N
#:|on|_|AX N
#^|on||AX N
|o|st_|OW
|of|^|AO F
|other||AH DH ER
|oss|_|AO S
#:^|om||AH M
|o||AA`,
  p: `
|ph||F
|peop||P IY P
|pow||P AW
|put|_|P UH T
|pp||P
|p||P`,
  q: `
|quar||K W AO R
|qu||K W
|q||K`,
  r: `
_|re|^#|R IY
|rr||R
|r||R`,
  s: `
|sh||SH
#|sion||ZH AX N
|some||S AH M
#|sur|#|ZH ER
|sur|#|SH ER
#|su|#|ZH UW
#|ssu|#|SH UW
#|sed|_|Z D
#|s|#|Z
|said||S EH D
^|sion||SH AX N
|s|s|
.|s|_|Z
#:.e|s|_|Z
#:^##|s|_|Z
#:^#|s|_|S
u|s|_|S
_:#|s|_|Z
_|sch||S K
|s|c+|
#|sm||Z M
#|sn|'|Z AX N
|s||S`,
  t: `
_|the|_|DH AX
|to|_|T UW
|that|_|DH AE T
_|this|_|DH IH S
_|they||DH EY
_|there||DH EH R
|ther||DH ER
|their||DH EH R
_|than|_|DH AE N
_|them|_|DH EH M
_|these|_|DH IY Z
_|then||DH EH N
|through||TH R UW
|those||DH OW Z
|though|_|DH OW
_|thus||DH AH S
|th||TH
#:|ted|_|T IH D
s|ti|#n|CH
|ti|o|SH
|ti|a|SH
|tien||SH AX N
|tur|#|CH ER
|tu|a|CH UW
_|two||T UW
|tch||CH
|tt||T
|t||T`,
  u: `
_|un|i|Y UW N
_|un||AH N
_|upon||AX P AO N
@|ur|#|UH R
|ur|#|Y UH R
|ur||ER
|u|^_|AH
|u|^^|AH
|uy||AY
_g|u|#|
g|u|%|
g|u|#|W
#n|u||Y UW
@|u||UW
|u||Y UW`,
  v: `
|view||V Y UW
|v||V`,
  w: `
_|were||W ER
|wa|s|W AA
|wa|t|W AA
|where||W EH R
|what||W AA T
|whol||HH OW L
|who||HH UW
|wh||W
|war||W AO R
|wor|^|W ER
|wr||R
|w||W`,
  x: `
_|x||Z
|x||K S`,
  y: `
|young||Y AH NG
_|you||Y UW
_|yes||Y EH S
_|y||Y
#:^|y|_|IY
#:^|y|i|IY
_:|y|_|AY
_:|y|#|AY
_:|y|^+:#|IH
_:|y|^#|AY
|y||IH`,
  z: `
|zz||Z
|z||Z`,
};

/** A rule taken apart. */
export interface LetterRule {
  readonly left: string;
  readonly letters: string;
  readonly right: string;
  readonly phonemes: readonly string[];
}

function parse(text: string): LetterRule[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [left = "", letters = "", right = "", phonemes = ""] = line.split("|");
      return { left, letters, right, phonemes: phonemes.split(" ").filter((each) => each !== "") };
    });
}

/** The rules by the first of the letters that they take. */
export const letterRules: ReadonlyMap<string, readonly LetterRule[]> = new Map(
  Object.entries(rules).map(([letter, text]) => [letter, parse(text)]),
);
