// Each list has 64 words, so that a random byte picks each word with the same probability.

/** First words of generated instance names. */
export const NAME_ADJECTIVES: readonly string[] =
  'able agile amber ample apt ardent azure balmy bold brave breezy bright brisk calm candid careful clever cosmic cozy crisp curious deft eager early earnest easy elegant exact fair faithful fleet fluent fond frank free fresh gentle glad golden grand great happy hardy honest humble ideal jolly keen kind lively loyal lucid lucky lunar mellow merry modest neat nimble noble open patient placid polite'.split(
    ' ',
  );

/** Last words of generated instance names. */
export const NAME_NOUNS: readonly string[] =
  'acorn anchor aspen badger beacon beaver birch bison brook canyon cedar cheetah clover comet condor coral crane cricket dolphin dune eagle elm falcon fern finch fjord forest fox gecko glacier grove harbor hare hawk hazel heron ibex iris island ivy jaguar kestrel lagoon lark lemur linden lynx maple marten meadow moose otter panda pebble pine puffin quail raven reef robin salmon sparrow spruce willow'.split(
    ' ',
  );
