"""What is learned by: the losses, their weights and numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reid.recipe.section import AtLeastOne, NotNegative, Positive, Section, Share, later


class ClusterSettings(Section):
    """EIA-Net's coupled cluster loss, equations (4) to (6).

    Attributes:
        margin: alpha, a squared distance.
        year_margin: beta, what another year of the same model has to be farther still; 0 for
            equation (4), and any label.
        branches: EIA-Net's weight of the same loss on each of two branches, beside 1 on what
            joins them.
        weight: of the whole; null for 1 in EIA-Net, which has no other, and 0 elsewhere.
    """

    margin: NotNegative = 1.0
    year_margin: NotNegative = 0.0
    branches: NotNegative = 0.5
    weight: NotNegative | None = later(None)


class AlignmentSettings(Section):
    """EIA-Net's alignment loss, equation (7).

    Attributes:
        weight: 0 for none.
        pairs: positive pairs of a batch that are aligned; null for all.
        parts: the parts that are; null for all that are used.
    """

    weight: NotNegative = 0.0
    pairs: AtLeastOne | None = 1
    parts: tuple[str, ...] | None = None


class CircleSettings(Section):
    """The circle loss (Sun et al., CVPR 2020), on what is compared, by cosines.

    Attributes:
        weight: 0 for none.
        margin: m, the relaxation; the paper's 0.25.
        scale: gamma; the paper's 128 for re-identification.
    """

    weight: NotNegative = 0.0
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.25
    scale: Positive = 128.0


class ViewpointSettings(Section):
    """VAL, the viewpoint-aware loss, on the global embedding.

    Attributes:
        weight: of the whole, equation (6); 0 for none.
        classes: V: 2, 4 or 8 viewpoints, see `reid.data.viewpoint_classes`; or classes of one's
            own, each a list of words of the column ``viewpoint``.
        vocabulary: of views, which says what these words are: name or YAML path, see
            `annotations.vocabulary.load_vocabulary`.
        scale: gamma, section 3.1.
        margin: m, section 3.1.
        reunion: lambda, equation (6); 0 for the partition loss alone.
        boundary: whether cosines are judged by several boundaries, equation (7); without, by
            equation (4).
    """

    weight: NotNegative = 0.0
    classes: Literal[2, 4, 8] | dict[str, tuple[str, ...]] = 2
    vocabulary: str = later("views")
    scale: Positive = 48.0
    margin: Annotated[float, Field(ge=0, lt=1)] = 0.5
    reunion: NotNegative = 1.0
    boundary: bool = True


class LossSettings(Section):
    """Weights of losses; which of them a method takes, `reid.recipe.sense` says.

    Attributes:
        global_weight: of the global branch's cross-entropy: of PRN's equation (3)'s first term; 0
            trains the parts alone, as the row "Window+Light+Brand" of its Table 4. SPAN's
            lambda_ID, equation (7); MFG-Net's alpha, equation (3).
        label_smoothing: of every cross-entropy but VAL's, whose scores of classes that are not
            shown are minus infinity.
        triplet: weight of a batch-hard triplet loss on what is compared, 0 for none: lambda_trip
            of SPAN, beta of MFG-Net.
        margin: its margin, a distance.
        stripes: weight of the cross-entropy of each stripe (MFG-Net).
        cluster: the coupled cluster loss.
        alignment: the alignment loss.
        circle: the circle loss.
        viewpoint: VAL.
    """

    global_weight: NotNegative = 1.0
    label_smoothing: Share = 0.0
    triplet: NotNegative = 0.0
    margin: NotNegative = 0.3
    stripes: NotNegative = later(1.0)
    cluster: ClusterSettings = ClusterSettings()
    alignment: AlignmentSettings = AlignmentSettings()
    circle: CircleSettings = later(CircleSettings())
    viewpoint: ViewpointSettings = later(ViewpointSettings())
