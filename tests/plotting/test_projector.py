"""Pages and files to look at codes with."""

import base64
import io
import json
import os
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from google.protobuf import text_format
from helpers import rows_of_a_shop
from matplotlib.image import imread
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from tensorboard.plugins import projector as board
from tensorboard.plugins.projector.projector_plugin import _read_tensor_tsv_file as read_tensors

from skae import AutoencoderTransformer, VAETransformer
from skae.plotting import export_projector, projector

X, y = load_digits(return_X_y=True)
X, y = X[:300], y[:300]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def autoencoder():
    return AutoencoderTransformer(4, max_epochs=5, random_state=0).fit(X)


@pytest.fixture(scope="module")
def shop():
    frame = rows_of_a_shop()
    return VAETransformer(3, max_epochs=5, random_state=0).fit(frame), frame


def data_of(page):
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.html)
    return json.loads(text)


class TestPage:
    """One file with all that is shown."""

    def test_it_is_self_contained(self, autoencoder, tmp_path):
        page = projector(autoencoder, X, columns=y, image_shape=(8, 8), title="<Digits>")
        path = page.write(tmp_path / "codes.html")
        text = path.read_text(encoding="utf-8")
        assert text == page.html
        assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="http', text)
        assert "<title>&lt;Digits&gt;</title>" in text
        assert page.n_points == 300
        assert "MiB" in repr(page)
        assert page._repr_html_().startswith("<iframe")

    def test_colours_and_images(self, autoencoder):
        data = data_of(projector(autoencoder, X, columns=y, image_shape=(8, 8)))
        (colour,) = data["colours"]
        labels = np.array(colour["labels"])[colour["values"]]
        np.testing.assert_array_equal(labels, y.astype(str))
        images = data["images"]
        picture = imread(io.BytesIO(base64.b64decode(images["source"].split(",")[1])))
        row, column = divmod(7, images["side"])
        found = picture[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8, 0]
        np.testing.assert_allclose(found, 1 - X[7].reshape(8, 8) / 16, atol=0.01)

    def test_colour_images(self, autoencoder):
        rows = np.tile(X, 3)
        wide = AutoencoderTransformer(2, max_epochs=2).fit(rows)
        data = data_of(projector(wide, rows, image_shape=(3, 8, 8)))
        assert (data["images"]["width"], data["images"]["height"]) == (8, 8)

    def test_columns_of_a_table(self, shop):
        density, frame = shop
        frame = frame.assign(note=["</script><b>x</b>", *["ö"] * (len(frame) - 1)])
        data = data_of(
            projector(density, frame.drop(columns="note"), columns=frame, n_dimensions=3)
        )
        colours = {colour["name"]: colour for colour in data["colours"]}
        assert [*colours] == [*frame]
        assert colours["kind"]["labels"] == ["van", "bike", "car", "missing"] or set(
            colours["kind"]["labels"]
        ) == {"bike", "car", "van", "missing"}
        assert colours["price"]["labels"] is None
        assert colours["sold"]["labels"] is None
        assert data["images"] is None
        assert "</script><b>x</b>" in data["texts"][0]

    def test_more_labels_than_colours(self, autoencoder):
        words = np.array([f"w{i % 60}" for i in range(300)])
        (colour,) = data_of(projector(autoencoder, X, columns=words))["colours"]
        assert len(colour["labels"]) == 41
        assert colour["labels"][-1] == "others"

    @pytest.mark.parametrize("by", ["components", "pca", "tsne"])
    @pytest.mark.parametrize("n_dimensions", [2, 3])
    def test_dimensions(self, autoencoder, by, n_dimensions):
        page = projector(autoencoder, X[:60], by=by, n_dimensions=n_dimensions, random_state=0)
        kind = "scattergl" if n_dimensions == 2 else "scatter3d"
        assert f'"type":"{kind}"' in page.html
        assert page.n_points == 60

    def test_samples(self, autoencoder):
        page = projector(autoencoder, X, columns=y, max_points=50, random_state=0)
        assert page.n_points == 50
        assert len(data_of(page)["texts"]) == 50

    def test_other_estimators(self):
        assert projector(PCA(1).fit(X), X).n_points == 300

    def test_messages(self, autoencoder):
        with pytest.raises(ValueError, match=r"'by' parameter must be one of .* Got 'umap'"):
            projector(autoencoder, X, by="umap")
        with pytest.raises(ValueError, match="'n_dimensions' parameter must be one of"):
            projector(autoencoder, X, n_dimensions=4)
        with pytest.raises(ValueError, match=r"product of 64, .* Got \(7, 8\)"):
            projector(autoencoder, X, image_shape=(7, 8))
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            projector(autoencoder, X, columns=y[:5])
        with pytest.raises(NotFittedError):
            projector(AutoencoderTransformer(2), X)

    @pytest.mark.skipif(
        not any(map(shutil.which, BROWSERS)) and "SKAE_BROWSER" not in os.environ,
        reason="needs Chromium",
    )
    def test_in_a_browser(self, autoencoder, tmp_path):
        path = projector(autoencoder, X, columns=y).write(tmp_path / "codes.html")
        browser = os.environ.get("SKAE_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)))
        options = ["--headless", "--no-sandbox", "--dump-dom", "--virtual-time-budget=10000"]
        done = subprocess.run([browser, *options, path.as_uri()], capture_output=True, text=True)
        assert "gl-container" in done.stdout
        assert '<option value="0">label</option>' in done.stdout


class TestFiles:
    """Files that TensorBoard itself reads."""

    def test_tensorboard_reads_them(self, autoencoder, tmp_path):
        labels = pd.DataFrame({"digit": y, "note": ["a\tb\n"] * 300})
        folder = export_projector(
            tmp_path / "run", autoencoder, X, columns=labels, image_shape=(8, 8)
        )
        config = board.ProjectorConfig()
        text_format.Parse((folder / "projector_config.pbtxt").read_text(), config)
        (embedding,) = config.embeddings
        tensor = read_tensors(str(folder / embedding.tensor_path))
        np.testing.assert_allclose(tensor, autoencoder.transform(X), rtol=1e-4, atol=1e-5)
        lines = (folder / embedding.metadata_path).read_text().splitlines()
        assert lines[0] == "digit\tnote"
        assert lines[1] == f"{y[0]}\ta b "
        assert len(lines) == 301
        assert [*embedding.sprite.single_image_dim] == [8, 8]
        picture = imread(folder / embedding.sprite.image_path)
        assert picture.shape[:2] == (18 * 8, 18 * 8)
        np.testing.assert_allclose(picture[8:16, 16:24, 0], X[20].reshape(8, 8) / 16, atol=0.01)

    def test_a_single_column_has_no_header(self, autoencoder, tmp_path):
        folder = export_projector(tmp_path, autoencoder, X, columns=y, max_points=40)
        assert len((folder / "metadata.tsv").read_text().splitlines()) == 40
        assert "sprite" not in (folder / "projector_config.pbtxt").read_text()

    def test_tables(self, shop, tmp_path):
        density, frame = shop
        folder = export_projector(tmp_path, density, frame)
        assert (folder / "metadata.tsv").read_text().startswith("kind\tprice")
        tensor = read_tensors(str(folder / "tensors.tsv"))
        assert tensor.shape == (len(frame), 3)

    def test_too_many_pixels(self, tmp_path):
        rows = np.zeros((300, 500 * 500), dtype=np.float32)

        class Sums(BaseEstimator):
            def fit(self, X):
                self.fitted_ = True
                return self

            def transform(self, X):
                return X[:, :2]

        with pytest.raises(ValueError, match="300 images of 500 x 500 pixels do not fit"):
            export_projector(tmp_path, Sums().fit(rows), rows, image_shape=(500, 500))
        assert not [*tmp_path.iterdir()]
