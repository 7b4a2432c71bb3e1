"""A question about a large image: two branches in one nn.Module, as PyTorch's guides compose."""

import torch
from torch import nn


class Answerer(nn.Module):
    def __init__(self):
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3, 16, 11, stride=4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(32 * 12 * 12, 64),
        )
        self.words = nn.Embedding(1000, 32)
        self.lstm = nn.LSTM(32, 64, batch_first=True)
        self.answer = nn.Linear(64 + 64, 894)

    def forward(self, image, question):
        outputs, _ = self.lstm(self.words(question))
        return self.answer(torch.cat([self.see(image), outputs[:, -1]], dim=1))


def build():
    return Answerer()


def train(model, batches, learning_rate):
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    model.train()
    for inputs, answers in batches:
        optimizer.zero_grad()
        image, question = torch.from_numpy(inputs["image"]), torch.from_numpy(inputs["question"])
        loss = loss_fn(model(image, question), torch.from_numpy(answers).long())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def predict(model, inputs):
    model.eval()
    with torch.no_grad():
        image, question = torch.from_numpy(inputs["image"]), torch.from_numpy(inputs["question"])
        return model(image, question).numpy()
