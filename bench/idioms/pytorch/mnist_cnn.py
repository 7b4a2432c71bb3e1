"""A CNN for MNIST: the nn.Module of PyTorch's quick start, the layers of its MNIST example."""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Linear(64 * 5 * 5, 10)

    def forward(self, images):
        return self.classifier(torch.flatten(self.features(images), 1))


def build():
    return Net()


def train(model, batches, learning_rate):
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    losses = []
    model.train()
    for images, labels in batches:
        optimizer.zero_grad()
        loss = loss_fn(model(torch.from_numpy(images)), torch.from_numpy(labels).long())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def predict(model, images):
    model.eval()
    with torch.no_grad():
        return model(torch.from_numpy(images)).numpy()
