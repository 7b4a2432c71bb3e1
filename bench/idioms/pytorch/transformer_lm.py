"""A small GPT for the next character, on nn.TransformerEncoder as in PyTorch's tutorial."""

import torch
from torch import nn


class LanguageModel(nn.Module):
    def __init__(self, characters=65, length=64, width=64):
        super().__init__()
        self.embedding = nn.Embedding(characters, width)
        self.positions = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(
            width,
            nhead=4,
            dim_feedforward=256,
            dropout=0.0,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.blocks = nn.TransformerEncoder(
            layer, num_layers=2, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.next = nn.Linear(width, characters)

    def forward(self, text):
        length = text.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        x = self.embedding(text) + self.positions(torch.arange(length))
        return self.next(self.blocks(x, mask=mask, is_causal=True))


def build():
    return LanguageModel()


def train(model, batches, learning_rate):
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    model.train()
    for text, following in batches:
        optimizer.zero_grad()
        outputs = model(torch.from_numpy(text))  # (batch, positions, characters)
        loss = loss_fn(outputs.flatten(0, 1), torch.from_numpy(following).long().flatten())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def predict(model, text):
    model.eval()
    with torch.no_grad():
        return model(torch.from_numpy(text)).numpy()
