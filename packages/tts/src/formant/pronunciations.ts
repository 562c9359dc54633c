// Frequent words whose spelling misleads the rules; ARPAbet.
const list = `
a AX
about AX B AW T
above AX B AH V
across AX K R AO S
after AE F T ER
again AX G EH N
air EH R
album AE L B AX M
all AO L
also AO L S OW
always AO L W EY Z
am AE M
an AE N
and AE N D
announcement AX N AW N S M AX N T
another AX N AH DH ER
answer AE N S ER
are AA R
area EH R IY AX
artist AA R T IH S T
as AE Z
at AE T
audio AO D IY OW
away AX W EY
be B IY
beautiful B Y UW T AX F AX L
because B IH K AO Z
been B IH N
before B IH F AO R
behind B IH HH AY N D
body B AA D IY
both B OW TH
break B R EY K
broadcast B R AO D K AE S T
build B IH L D
business B IH Z N AX S
busy B IH Z IY
by B AY
camera K AE M R AX
change CH EY N JH
channel CH AE N AX L
children CH IH L D R AX N
city S IH T IY
clothes K L OW Z
color K AH L ER
come K AH M
comes K AH M Z
coming K AH M IH NG
could K UH D
country K AH N T R IY
couple K AH P AX L
data D EY T AX
day D EY
digital D IH JH AX T AX L
do D UW
does D AH Z
done D AH N
don't D OW N T
door D AO R
doctor D AA K T ER
dog D AO G
double D AH B AX L
early ER L IY
earth ER TH
eight EY T
eighteen EY T IY N
eighty EY T IY
eleven IH L EH V AX N
enough IH N AH F
evening IY V N IH NG
every EH V R IY
everyone EH V R IY W AH N
everything EH V R IY TH IH NG
eye AY
eyes AY Z
family F AE M L IY
father F AA DH ER
feature F IY CH ER
few F Y UW
fifteen F IH F T IY N
fifty F IH F T IY
five F AY V
floor F L AO R
follow F AA L OW
following F AA L OW IH NG
for F AO R
forty F AO R T IY
four F AO R
fourteen F AO R T IY N
fourth F AO R TH
fox F AA K S
friend F R EH N D
friends F R EH N D Z
from F R AH M
full F UH L
future F Y UW CH ER
give G IH V
go G OW
goes G OW Z
gone G AO N
good G UH D
great G R EY T
group G R UW P
guess G EH S
guide G AY D
had HH AE D
half HH AE F
has HH AE Z
have HH AE V
he HH IY
head HH EH D
health HH EH L TH
hear HH IY R
heard HH ER D
heart HH AA R T
heavy HH EH V IY
hello HH EH L OW
her HH ER
here HH IY R
high HH AY
his HH IH Z
hour AW ER
hours AW ER Z
house HH AW S
human HH Y UW M AX N
hundred HH AH N D R AX D
idea AY D IY AX
image IH M IH JH
important IH M P AO R T AX N T
information IH N F ER M EY SH AX N
interest IH N T R AX S T
into IH N T UW
iron AY ER N
is IH Z
island AY L AX N D
it IH T
its IH T S
know N OW
language L AE NG G W IH JH
large L AA R JH
laugh L AE F
learn L ER N
level L EH V AX L
library L AY B R EH R IY
listen L IH S AX N
listening L IH S AX N IH NG
little L IH T AX L
live L AY V
long L AO NG
longwave L AO NG W EY V
love L AH V
machine M AX SH IY N
many M EH N IY
mean M IY N
meter M IY T ER
million M IH L Y AX N
billion B IH L Y AX N
trillion T R IH L Y AX N
minute M IH N AX T
minutes M IH N AX T S
model M AA D AX L
moment M OW M AX N T
money M AH N IY
month M AH N TH
mother M AH DH ER
mountain M AW N T AX N
move M UW V
much M AH CH
music M Y UW Z IH K
my M AY
network N EH T W ER K
news N UW Z
nine N AY N
nineteen N AY N T IY N
ninety N AY N T IY
no N OW
nothing N AH TH IH NG
now N AW
number N AH M B ER
ocean OW SH AX N
of AX V
off AO F
often AO F AX N
oh OW
old OW L D
on AA N
one W AH N
only OW N L IY
open OW P AX N
or AO R
other AH DH ER
our AW ER
out AW T
over OW V ER
own OW N
packet P AE K AX T
packets P AE K AX T S
people P IY P AX L
picture P IH K CH ER
piece P IY S
please P L IY Z
point P OY N T
police P AX L IY S
poor P UH R
possible P AA S AX B AX L
pretty P R IH T IY
problem P R AA B L AX M
program P R OW G R AE M
programme P R OW G R AE M
pull P UH L
push P UH SH
put P UH T
quick K W IH K
quiet K W AY AX T
radio R EY D IY OW
read R IY D
ready R EH D IY
real R IY AX L
really R IY L IY
receive R IH S IY V
record R EH K ER D
right R AY T
said S EH D
sample S AE M P AX L
says S EH Z
school S K UW L
science S AY AX N S
sea S IY
second S EH K AX N D
seven S EH V AX N
seventeen S EH V AX N T IY N
seventy S EH V AX N T IY
several S EH V R AX L
she SH IY
should SH UH D
sign S AY N
signal S IH G N AX L
six S IH K S
sixteen S IH K S T IY N
sixty S IH K S T IY
so S OW
some S AH M
someone S AH M W AH N
something S AH M TH IH NG
song S AO NG
soon S UW N
special S P EH SH AX L
speech S P IY CH
station S T EY SH AX N
stereo S T EH R IY OW
stop S T AA P
story S T AO R IY
strange S T R EY N JH
studio S T UW D IY OW
sure SH UH R
synthesis S IH N TH AX S IH S
system S IH S T AX M
table T EY B AX L
talk T AO K
ten T EH N
test T EH S T
thank TH AE NG K
thanks TH AE NG K S
that DH AE T
the DH AX
their DH EH R
them DH EH M
then DH EH N
there DH EH R
these DH IY Z
they DH EY
third TH ER D
thirteen TH ER T IY N
thirty TH ER T IY
this DH IH S
those DH OW Z
though DH OW
thought TH AO T
thousand TH AW Z AX N D
three TH R IY
through TH R UW
to T UW
today T AX D EY
together T AX G EH DH ER
tomorrow T AX M AA R OW
tonight T AX N AY T
too T UW
touch T AH CH
toward T AO R D
track T R AE K
transmission T R AE N Z M IH SH AX N
twelve T W EH L V
twenty T W EH N T IY
two T UW
under AH N D ER
until AX N T IH L
upon AX P AA N
us AH S
use Y UW Z
used Y UW Z D
usual Y UW ZH UW AX L
very V EH R IY
video V IH D IY OW
voice V OY S
want W AA N T
war W AO R
warm W AO R M
was W AA Z
watch W AA CH
water W AO T ER
wave W EY V
we W IY
weather W EH DH ER
welcome W EH L K AX M
were W ER
what W AA T
when W EH N
where W EH R
which W IH CH
who HH UW
whole HH OW L
whose HH UW Z
why W AY
will W IH L
with W IH DH
without W IH DH AW T
woman W UH M AX N
women W IH M AX N
word W ER D
words W ER D Z
work W ER K
world W ER L D
would W UH D
year Y IY R
years Y IY R Z
yes Y EH S
you Y UW
young Y AH NG
your Y AO R
zero Z IY R OW`;

/** Exceptions: word to phonemes. */
export const wordPronunciations: ReadonlyMap<string, readonly string[]> = new Map(
  list
    .trim()
    .split("\n")
    .map((line) => {
      const [word = "", ...phonemes] = line.split(" ");
      return [word, phonemes];
    }),
);

/** How single letters are named, for abbreviations such as "USA". */
export const letterNames: Readonly<Record<string, string>> = {
  a: "EY",
  b: "B IY",
  c: "S IY",
  d: "D IY",
  e: "IY",
  f: "EH F",
  g: "JH IY",
  h: "EY CH",
  i: "AY",
  j: "JH EY",
  k: "K EY",
  l: "EH L",
  m: "EH M",
  n: "EH N",
  o: "OW",
  p: "P IY",
  q: "K Y UW",
  r: "AA R",
  s: "EH S",
  t: "T IY",
  u: "Y UW",
  v: "V IY",
  w: "D AH B AX L Y UW",
  x: "EH K S",
  y: "W AY",
  z: "Z IY",
};
