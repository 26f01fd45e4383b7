"""The tags of a sampler: scikit-learn's, with those that imbalanced-learn asks for."""

from dataclasses import dataclass, fields
from typing import Any

from sklearn.utils import InputTags, Tags


@dataclass(slots=True)
class SamplerTags:
    """What a sampler says of itself.

    Attributes
    ----------
    sample_indices : bool
        Whether the sampler notes which rows it took.
    """

    sample_indices: bool = False


@dataclass(slots=True)
class RowsTags(InputTags):
    """What a sampler says of its rows.

    Attributes
    ----------
    dataframe : bool
        Whether they may be a frame.
    """

    dataframe: bool = True


@dataclass(slots=True)
class TagsOfSampler(Tags):
    """The tags of an estimator that is a sampler.

    Attributes
    ----------
    sampler_tags : SamplerTags or None
        What the sampler says of itself.
    """

    sampler_tags: SamplerTags | None = None


def as_sampler(tags: Tags) -> TagsOfSampler:
    """Return the tags of an estimator as those of a sampler of classes."""
    found = TagsOfSampler(**_values(tags), sampler_tags=SamplerTags())
    found.estimator_type = "sampler"
    found.target_tags.required = True
    found.input_tags = RowsTags(**_values(tags.input_tags))
    return found


def _values(tags: Any) -> dict[str, Any]:
    return {each.name: getattr(tags, each.name) for each in fields(tags)}
