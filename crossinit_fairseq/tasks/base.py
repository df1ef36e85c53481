"""What the tasks of this package have in common: some languages under one dictionary, of which checkpoints keep a record."""

from fairseq.tasks import FairseqTask

from crossinit_fairseq.models import dictionary_record
from crossinit_fairseq.tasks.data_folder import language_token


class OneDictionaryTask(FairseqTask):
    """A task whose source, target and languages share a dictionary.

    dictionary: with a token for each language; languages: their names.
    """

    def __init__(self, cfg, dictionary, languages):
        super().__init__(cfg)
        self.dictionary = dictionary
        self.languages = languages
        record = dictionary_record.record_of(dictionary, [language_token(language) for language in languages])
        self.state.merge_state_dict({dictionary_record.NAME: record})

    @property
    def source_dictionary(self):
        """The one dictionary of all languages."""
        return self.dictionary

    @property
    def target_dictionary(self):
        """The one dictionary of all languages."""
        return self.dictionary
